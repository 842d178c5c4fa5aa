"""What a params file would take at full size: parameters, tokens, arithmetic, memory, days, storage, jobs."""
