"""What administrators shape in the browser, above the settings it is stored in."""
