"""The command line: options in, one call into the library, a report out."""

from gdfit.cli.app import main, run

__all__ = ["main", "run"]
