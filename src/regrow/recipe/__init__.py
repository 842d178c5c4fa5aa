"""The flow of the language model as the engine reads it: the table of steps."""
