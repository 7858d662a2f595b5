"""Tests of the WebSocket codecs that do not belong to one driver."""
