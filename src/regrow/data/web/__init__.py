"""What the crawl and the text step both must read of the web alike: numbers, codings, charsets."""
