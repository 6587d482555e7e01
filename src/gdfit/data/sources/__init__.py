"""Where data come from, and in which formats."""
