"""What a file of source code is: its language, its licence, and whether a person wrote it for this project."""
