"""Looking things up in tables of any size: sorted keys and rows on disk, made from the tables on first use."""
