"""Params of the toy."""

from pathlib import Path

from regrow.params.base import Block


class Split(Block):
    shards: int = 3


class Clean(Block):
    lower: bool = True


class Train(Block):
    lr: float = 0.5
    steps: int = 2
    seed: int = 0

    def names(self) -> list[str]:
        return [f"{n:03d}" for n in range(self.steps + 1)]


class Params(Block):
    split: Split = Split()
    clean: Clean = Clean()
    train: Train = Train()


def load(path: Path) -> Params:
    from regrow import yaml12
    from regrow.engine.params import ParamsError

    try:
        return Params.model_validate(yaml12.load(path.read_text()) or {})
    except (OSError, ValueError) as error:
        raise ParamsError(f"{path}: {error}") from None
