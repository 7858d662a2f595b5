"""The tests of serving with many processes."""
