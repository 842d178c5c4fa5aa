"""`regrow chat`: a talk with a checkpoint."""
