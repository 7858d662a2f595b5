"""The conformance suite: black-box cases as data, run against real server processes."""
