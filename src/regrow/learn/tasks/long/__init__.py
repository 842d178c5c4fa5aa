"""The parts of the long-context mix: what is long, what is made from it, how it is packed."""
