"""``python -m gdfit``, and the console script."""

import gc
import os


def main() -> None:
    """Run the command line, and leave with its status."""
    gc.set_threshold(200_000)  # imports make many objects and no garbage
    try:
        from gdfit.cli import app
    except KeyboardInterrupt:
        os.write(2, b"gdfit: interrupted\n")
        os._exit(130)
    except ImportError as error:
        os.write(
            2, f"gdfit: error: a library can't be loaded: {error}; install gdfit anew\n".encode()
        )
        os._exit(1)
    app.main()


if __name__ == "__main__":
    main()
