"""Tables, JSON and CSV of what came out, and all words about a run."""
