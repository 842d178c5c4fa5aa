"""The sections of a params file that belong to no kind of training: data and the model, in the order of the flow."""

from __future__ import annotations

from regrow.params.anneal import Anneal
from regrow.params.base import Block
from regrow.params.data import Classify, Decontaminate, Dedup, Filter, Mix, Pack, Tokenizer
from regrow.params.model import Model
from regrow.params.posttrain import Difficulty, LongContextData, MidtrainData, Pairs, SftData, Tasks
from regrow.params.sources import Crawl, Text


class Sections(Block):
    """What the data is made by, and the shape of the model."""

    crawl: Crawl = Crawl()
    text: Text = Text()
    filter: Filter = Filter()
    dedup: Dedup = Dedup()
    decontaminate: Decontaminate = Decontaminate()
    classify: Classify = Classify()
    mix: Mix = Mix()
    tasks: Tasks = Tasks()
    tokenizer: Tokenizer = Tokenizer()
    pack: Pack = Pack()
    midtrain_data: MidtrainData = MidtrainData()
    longcontext_data: LongContextData = LongContextData()
    sft_data: SftData = SftData()
    pairs: Pairs = Pairs()
    difficulty: Difficulty = Difficulty()
    model: Model = Model()
    anneal: Anneal = Anneal()
