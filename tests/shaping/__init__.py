"""Shaping without code: menus, views, fields, rules."""
