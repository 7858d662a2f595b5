"""WebSocket codecs that do not belong to one driver, each behind `esg.websocket.Codec`."""
