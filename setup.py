"""Build the package; all metadata is in pyproject.toml, the compiled part in build_accel/."""

import sys
from pathlib import Path

from setuptools import setup

# The build backend runs this file from elsewhere.
sys.path.insert(0, str(Path(__file__).parent))

from build_accel import commands, extensions  # noqa: E402

setup(
    ext_modules=extensions.declare(commands.ROOT),
    cmdclass={"build_ext": commands.BuildAccel},
)
