"""Tests of the fast driver and of its build."""
