"""The records and tables of a run in the formats that others ask for. One module per format."""
