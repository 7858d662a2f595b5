"""Targets for a fuzzer that is guided by coverage, the inputs it has found, and their replay."""
