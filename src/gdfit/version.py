"""The version of gdfit."""

__version__ = "0.1.0"
