"""Checks that are not tests of the product: they run in .ci/run."""
