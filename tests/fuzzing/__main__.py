"""Look at fuzz targets and their inputs; `make fuzz` does the fuzzing.

python -m tests.fuzzing list
python -m tests.fuzzing again TARGET FILE    put one input to a target, on the normal build
python -m tests.fuzzing write TARGET FOLDER  write a target's inputs as files
python -m tests.fuzzing add TARGET FILE...   keep files as inputs of a target
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.fuzzing.corpus import add, write
from tests.fuzzing.given import Given
from tests.fuzzing.targets import NAMES, target


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="tests.fuzzing", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("command", choices=["list", "again", "write", "add"])
    parser.add_argument("target", choices=NAMES, nargs="?")
    parser.add_argument("paths", type=Path, nargs="*")
    options = parser.parse_args()
    if options.command == "list":
        print("\n".join(NAMES))
    elif options.target is None:
        parser.error("which target?")
    elif options.command == "add":
        add(options.target, [path.read_bytes() for path in options.paths])
    elif not options.paths:
        parser.error("which file or folder?")
    elif options.command == "write":
        write(options.target, options.paths[0])
    else:
        target(options.target)(Given(options.paths[0].read_bytes()))
        print("nothing is wrong")
    return 0


if __name__ == "__main__":
    sys.exit(main())
