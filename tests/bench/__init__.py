"""Tests of what measures: a figure that is wrong is worse than none."""
