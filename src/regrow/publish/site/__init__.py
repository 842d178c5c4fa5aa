"""The documentation, a run's report and its explorer as one static site, and the picture of the flow."""
