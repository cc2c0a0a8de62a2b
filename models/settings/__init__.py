"""What administrators change without code: dictionaries and parameters."""
