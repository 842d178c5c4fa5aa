"""The kinds of training: a module each, so that an edit in one moves no key of another.

`run` fills a checkpoint, `plan` says what is trained: a parameter block, an objective and a source;
`regrow.learn.train.stage` does the rest. `inputs` of a kind: `data`, `previous` (the stage's own checkpoint before, from the
second on) and, for all but pretraining, `base` (the last checkpoint of the stage before, whose `config.json` says
what the model is). Options of all: `stage`, the name of the stage, which is part of the key of its data order;
`settings`, the section of the params with its settings. See `stage.run` for what `run` returns and raises.
"""
