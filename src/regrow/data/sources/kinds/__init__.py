"""A reader per kind of source, each a module called like its kind: see `regrow.data.sources.reader`."""
