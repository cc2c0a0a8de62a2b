"""Demo data: two dealers with their stores, people, customers and everything that hangs on them."""

from models.demo.fill import build

__all__ = ["build"]
