"""`regrow doctor`: what this machine can certify, and how to mend what is wrong."""
