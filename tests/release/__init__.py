"""The tests of what a release is made by."""
