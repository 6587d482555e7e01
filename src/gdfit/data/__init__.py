"""From data files to observations."""
