"""Tests of what administrators build."""
