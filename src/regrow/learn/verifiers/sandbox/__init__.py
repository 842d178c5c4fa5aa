"""Run untrusted Python, and only Python: no network, no files, no processes, bounded in everything.

See docs/reference/verifiers.md. `runner.run` is the door.
"""
