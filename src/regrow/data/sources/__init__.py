"""Documents from the files of a source: a reader for each kind of file, and the step that runs it."""
