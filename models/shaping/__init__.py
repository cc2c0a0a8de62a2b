"""How administrators and people shape the product without code."""
