"""Build the package; all metadata is in pyproject.toml, the compiled part in build_accel/."""

import sys
from pathlib import Path

from setuptools import setup

# The build backend runs this file from elsewhere.
sys.path.insert(0, str(Path(__file__).parent))

from build_accel import choice, commands, extensions

setup(
    # Without extensions the wheel is one for every Python.
    ext_modules=[] if choice.why_not_compiled() else extensions.declare(commands.ROOT),
    cmdclass={
        "build": commands.Build,
        "build_ext": commands.BuildAccel,
        "build_info": commands.BuildInfo,
        "sdist": commands.SourceDistribution,
    },
)
