"""What a release is made by: its archives, what they must hold, and that they serve."""
