"""From rows to R: what is condensed, drawn and kept."""
