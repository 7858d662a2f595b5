"""HTTP clients as they are, thousands of requests from each, through pauses that outlast keep-alive.

`python -m tests.clients` runs them on rows of choice and prints a table.
"""
