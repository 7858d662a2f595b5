"""The tests of the pure driver."""
