"""What each step of a training run saw: packed documents, examples, pairs or rollouts.

Nothing of it was logged (rollouts apart, which are an output): the order of training is a
function of names and seeds, computed here in both directions.
"""
