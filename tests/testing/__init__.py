"""Tests of esg.testing and its pytest plugin."""
