"""The command line: faces only. Parses, calls, prints."""
