"""From sources to packed tokens: each room is one part of the way that data takes."""
