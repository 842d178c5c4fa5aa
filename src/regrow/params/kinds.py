"""What the checks of a params file and the table of steps both say of kinds, without the models of either."""

ANSWERED = ("pairs", "difficulty")
"""kinds of data sets that are made of the answers of a stage's base"""

JOINED = "joined"
"""the kind of a data set that is joined of others"""

CONTENT = {
    "pack": "midtrain_data",
    "midtrain_data": "midtrain_data",
    "longcontext_data": "longcontext_data",
    "sft_data": "sft_data",
    "chats": "sft_data",
}
"""kind of data set that can be joined -> the kind of what it is joined to: only of one kind are joined"""

RENAMED = {"midmix": "midtrain_data", "longmix": "longcontext_data", "sftdata": "sft_data"}
"""names that a params file of version 0.1 says -> what they are called now"""
