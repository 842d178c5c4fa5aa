"""The toy's table of steps."""

from regrow.engine.step import Input, Step

PARAMS_ROOT = "toy.params:Params"
result = "The released checkpoint is {data}/."
mistakes = ("regrow.params.schema.ParamsError",)


def load(path):
    from toy import params

    return params.load(path)


def _shards(params):
    return [str(n) for n in range(params.split.shards)]


def _steps(params):
    return params.train.names()


STEPS = (
    Step(
        name="split",
        function="toy.split:run",
        params=("split",),
        inputs=(Input(name="raw", kind="source", path="sources"),),
    ),
    Step(
        name="clean",
        function="toy.clean:run",
        params=("clean",),
        inputs=(Input(name="split", step="split"),),
        instances=_shards,
    ),
    Step(
        name="mix",
        function="toy.mix:run",
        inputs=(Input(name="clean", step="clean", instance="all"),),
    ),
    Step(name="tokenize", function="toy.tokenize:run", inputs=(Input(name="mix", step="mix"),)),
    Step(
        name="train",
        function="toy.train:run",
        params=("train",),
        inputs=(
            Input(name="tokens", step="tokenize"),
            Input(name="previous", step="train", instance="previous"),
        ),
        instances=_steps,
        resumable=True,
    ),
    Step(
        name="evaluate",
        function="toy.evaluate:run",
        inputs=(
            Input(name="model", step="train", instance="same"),
            Input(name="tokens", step="tokenize"),
            Input(name="record.mix", kind="record", step="mix"),
        ),
        instances=_steps,
        leaf=("score.txt",),
    ),
)
