"""Tests of esg.tls."""
