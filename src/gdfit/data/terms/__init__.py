"""From columns to features."""
