"""What a run makes: one pydantic model per stage, one schema."""
