"""Looks at a loss without descending on it: its gradient, its graph."""
