"""`regrow takedown`: what documents touched, the cheapest exact rebuild without them, and a signed statement."""
