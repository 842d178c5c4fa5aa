"""The run that documents are taken out of: its records, what its steps left, and its params."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from regrow import yaml12
from regrow.change.takedown.place import Place
from regrow.data.takedown import documents
from regrow.engine.present import Present
from regrow.evidence.errors import Unanswerable
from regrow.evidence.ledger import Ledger
from regrow.evidence.outputs import Outputs
from regrow.params.schema import Params
from regrow.prove.rebuild.folder import recorded_params


@dataclass(frozen=True)
class Run:
    """A params file and the records that were made under it."""

    root: Path
    params_file: str

    @cached_property
    def ledger(self) -> Ledger:
        """The records that are there now. Raises Unanswerable: there are none, or one is damaged."""
        return Ledger.load(self.root)

    @cached_property
    def outputs(self) -> Outputs:
        """What the steps left on disk."""
        return Outputs(self.ledger)

    @cached_property
    def present(self) -> Present:
        """The flow under the params."""
        return Present(self.root, self.params_file)

    @cached_property
    def params(self) -> Params:
        """The params, checked."""
        found: Params = self.present.flow.load(self.root / self.params_file)
        return found

    @property
    def raw(self) -> dict[str, Any]:
        """The params as somebody wrote them."""
        return yaml12.load((self.root / self.params_file).read_text(encoding="utf-8")) or {}

    def check_recorded(self) -> None:
        """The params must be those of the records: else nothing that is kept would be known.

        Raises:
            Unanswerable: a section differs.
        """
        made = [record for record in self.ledger.records if record.name in self.present.jobs]
        for section, values in recorded_params(made).items():
            if self.present.params.get(section) != values:
                raise Unanswerable(
                    f"{self.params_file}: `{section}` is not what the records were made under. Name the "
                    "params file of the run with --params, or run `snakemake` first."
                )

    @property
    def taken(self) -> list[str]:
        """The documents of the takedown that the run is the end of: they stay out of the next one too."""
        before = self.params.takedown
        return documents.read(Place(self.root, before.name).documents) if before else []
