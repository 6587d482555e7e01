"""Pictures of runs: by Matplotlib for a slide or a page, and in text for a terminal."""
