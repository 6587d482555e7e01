"""The fitted model, and what it predicts."""
