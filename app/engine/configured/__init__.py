"""The configuration as data: what is set, what a file says, the difference, and the way back."""
