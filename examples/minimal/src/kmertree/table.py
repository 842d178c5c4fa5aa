"""The table of steps: which function fills which folder, from what, under which params."""

from regrow.engine.step import Input, Step

PARAMS_ROOT = "kmertree.params:Params"

STEPS = (
    Step(
        name="count",
        function="kmertree.count:run",
        params=("count",),
        inputs=(Input(name="sequences", kind="source", path="sources/sequences.fasta"),),
    ),
    Step(
        name="compare",
        function="kmertree.compare:run",
        params=("compare",),
        inputs=(Input(name="count", step="count"),),
    ),
    Step(
        name="tree",
        function="kmertree.tree:run",
        inputs=(Input(name="compare", step="compare"),),
        leaf=("tree.nwk",),
    ),
)
