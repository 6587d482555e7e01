"""From bytes to rows of fields."""
