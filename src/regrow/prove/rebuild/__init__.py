"""`regrow rebuild`: an artifact made anew from the sources in an empty folder, byte against byte."""
