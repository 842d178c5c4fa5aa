"""`regrow doctor`: what this machine can certify, and how to fix what is wrong."""
