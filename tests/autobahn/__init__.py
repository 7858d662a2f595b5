"""AutobahnTestSuite's fuzzing client as a judge of ESG's WebSocket: `python -m tests.autobahn`.

Two engines can put its cases to a server: the suite itself, which needs a Python 2.7, and kosoku,
which drives the same case files without one.
"""
