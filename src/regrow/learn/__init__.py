"""Training, answering and judging: the model, its objectives, its tasks and what is measured."""
