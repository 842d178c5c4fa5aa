"""Content-addressed steps under Snakemake and DVC: keys, records, store, runner, remotes, plans."""
