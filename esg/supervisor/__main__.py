"""`python -m esg.supervisor DESCRIPTOR`: one worker, started by its supervisor."""

import sys

from esg.supervisor.worker import main

if __name__ == "__main__":
    main(sys.argv[1:])
