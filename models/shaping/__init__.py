"""How administrators shape the product without code."""
