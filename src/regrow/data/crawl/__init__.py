"""A polite crawler, the loopback site of the demo, and WARC 1.1 writing."""
