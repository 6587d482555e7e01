"""How each language that a model is exported to is written."""
