"""A small flow of plain text with the shape of the real one."""
