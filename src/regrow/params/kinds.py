"""What the checks of a params file and the table of steps both say of kinds, without the models of either."""

ANSWERED = ("pairs", "difficulty")
"""kinds of data sets that are made of the answers of a stage's base"""

RENAMED = {"midmix": "midtrain_data", "longmix": "longcontext_data", "sftdata": "sft_data"}
"""names that a params file of version 0.1 says -> what they are called now"""
