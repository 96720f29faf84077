"""The catalogue: which items there are, what is known of them, and where each one's picture is."""
