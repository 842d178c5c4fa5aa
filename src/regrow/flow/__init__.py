"""The runner: step key, code closure, environment, store, records, settle, dvc.yaml."""
