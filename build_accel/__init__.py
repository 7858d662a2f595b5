"""What setup.py needs to build `esg.accel`; never installed."""
