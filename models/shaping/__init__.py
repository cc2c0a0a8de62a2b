"""What administrators build without code."""
