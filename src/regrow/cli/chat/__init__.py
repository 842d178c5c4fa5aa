"""`regrow chat`: a chat with a checkpoint."""
