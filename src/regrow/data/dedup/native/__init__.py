"""Native code for what deduplication does with every character and every n-gram: the integers of the Python beside it.

`regrow.numerics.build` is not used for it: the keys of the steps that train count those sources.
"""
