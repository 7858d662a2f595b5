"""One application for each framework, all with the routes of `tests.ecosystem.contract`.

They run in an environment of their own, where the frameworks are: see `tests.ecosystem.environment`.
"""

SITES = __name__
