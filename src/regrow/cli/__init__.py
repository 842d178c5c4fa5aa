"""The command line: parses arguments, calls the houses, prints."""
