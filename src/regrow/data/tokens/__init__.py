"""Tokenizer training, packing and the index from positions back to documents."""
