"""All that a person sees: tables and words, pictures, the board, the page, progress."""
