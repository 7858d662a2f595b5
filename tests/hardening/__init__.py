"""Hostile clients and faults: what they cost the server, and that it goes on."""
