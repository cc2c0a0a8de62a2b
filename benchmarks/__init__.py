"""How fast the product is, measured against a floor in the same run: ``python run.py bench``."""
