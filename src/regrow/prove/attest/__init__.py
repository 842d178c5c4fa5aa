"""Signed statements about artifacts: in-toto statements, SLSA predicates, DSSE envelopes, Ed25519."""
