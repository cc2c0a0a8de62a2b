"""The organisation: dealers, stores, people, roles and their rights."""
