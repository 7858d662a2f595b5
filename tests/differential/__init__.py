"""The same bytes to every row of ESG: all must answer alike, whatever the bytes are."""
