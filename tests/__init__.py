"""The tests of ESG."""
