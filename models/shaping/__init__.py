"""What administrators shape without code: fields, menus, views."""
