"""The flow of the language model as the engine reads it: the steps that a recipe calls for, and the kinds of training."""
