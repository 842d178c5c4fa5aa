"""WARC, HTML and PDF to text."""
