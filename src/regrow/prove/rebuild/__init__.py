"""`regrow rebuild`: an artifact rebuilt from the sources in an empty folder, byte against byte."""
