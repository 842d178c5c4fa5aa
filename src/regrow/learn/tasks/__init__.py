"""Tasks with verified answers, and the mixes of the stages after pretraining."""
