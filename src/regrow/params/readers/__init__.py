"""The kinds of sources, a module each: what a recipe may say of a source of this kind.

A module is called like the kind and has `FILES` (`regrow.params.readable.Files`). `regrow.params.source_kinds` finds it by
its place in this folder; the reader of the same name is in `regrow.data.sources.kinds`.
"""
