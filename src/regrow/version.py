"""The version, in a module of its own: what stands in `regrow/__init__.py` is in the key of every step."""

VERSION = "0.1.0"
