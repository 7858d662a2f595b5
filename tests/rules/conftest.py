"""How hypothesis runs here: long enough to find something, the same way every time."""

from hypothesis import settings

# A deadline per example would measure the neighbours of this machine, and a saved example would
# make two runs differ.
settings.register_profile("rules", deadline=None, derandomize=True, database=None, max_examples=200)
settings.load_profile("rules")
