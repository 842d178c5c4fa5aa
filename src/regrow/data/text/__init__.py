"""WARC to text: readers, charsets, HTML, plain text and PDF."""
