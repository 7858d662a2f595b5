"""`python -m esg`."""

from esg.cli import main

if __name__ == "__main__":
    main(prog_name="esg")
