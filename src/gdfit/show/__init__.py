"""What a person sees of a run: tables, words, pictures."""
