"""The kinds of training, a module each: the settings of a kind, and what an entry of `stages` may say of it.

A module has a class `Entry` (`regrow.params.stages.Stage`), and a class `Sections` with a field for each section of the
params file that holds settings of the kind. `regrow.params.registry` finds it by its place in this folder. Steps import
the module of their own kind alone, so that an edit in one moves no key of another.
"""
