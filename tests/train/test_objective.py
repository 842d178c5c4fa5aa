from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from regrow.learn.train.data import Batch, Sequences
from regrow.learn.train.engine import Engine
from regrow.learn.train.objective import LanguageModelling, documents, positions
from small_run import EOS, FIRST, engine, small


@pytest.fixture(scope="module")
def trained(pack: Path) -> tuple[torch.nn.Module, Engine]:
    made = engine(pack, small())
    return made.model, made


def packed() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(FIRST, 258, (3, 64), generator=generator)
    tokens[0, 20] = tokens[0, 41] = tokens[1, 63] = tokens[2, 0] = EOS
    return tokens


def test_documents_and_positions_restart_after_the_end_of_a_document() -> None:
    tokens = torch.tensor([[5, 6, EOS, 7, EOS, EOS, 8, 9]])
    found = documents(tokens, EOS)
    assert found.tolist() == [[0, 0, 0, 1, 1, 2, 3, 3]]
    assert positions(found).tolist() == [[0, 1, 2, 0, 1, 0, 0, 1]]


def test_the_document_mask_isolates_documents(trained: tuple[torch.nn.Module, Engine]) -> None:
    model, _ = trained
    tokens = packed()
    changed = tokens.clone()
    changed[0, 5] = FIRST + 3
    assert changed[0, 5] != tokens[0, 5]
    with torch.no_grad():
        masked = LanguageModelling(0.0, document_mask=True)
        before = masked.logits(model, Batch(tokens, EOS))
        after = masked.logits(model, Batch(changed, EOS))
        assert torch.equal(before[0, 21:], after[0, 21:]), "document A leaks into document B"
        assert not torch.equal(before[0, 5:21], after[0, 5:21])
        assert torch.equal(before[1:], after[1:])
        plain = LanguageModelling(0.0, document_mask=False)
        leaks = plain.logits(model, Batch(changed, EOS)) - plain.logits(model, Batch(tokens, EOS))
        assert leaks[0, 21:].abs().max() > 0, "the test must be able to see a leak"


def test_a_masked_document_reads_as_if_it_stood_alone(
    trained: tuple[torch.nn.Module, Engine],
) -> None:
    model, _ = trained
    tokens = packed()
    masked = LanguageModelling(0.0, document_mask=True)
    plain = LanguageModelling(0.0, document_mask=False)
    with torch.no_grad():
        together = masked.logits(model, Batch(tokens, EOS))[0, 21:42]
        alone = plain.logits(model, Batch(tokens[:1, 21:42], EOS))[0]
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_the_loss_is_cross_entropy_plus_z_loss(trained: tuple[torch.nn.Module, Engine]) -> None:
    model, _ = trained
    batch = Batch(packed(), EOS)
    objective = LanguageModelling(1e-2, document_mask=False)
    total = objective.weight(batch)
    assert total == 3 * 63
    with torch.no_grad():
        loss, (entropy, z) = objective.loss(model, batch, total)
        logits = model(input_ids=batch.tokens).logits[:, :-1].flatten(0, 1)
    want = functional.cross_entropy(logits, batch.tokens[:, 1:].flatten())
    want_z = 1e-2 * (logits.logsumexp(-1) ** 2).mean()
    torch.testing.assert_close(entropy, want, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(z, want_z, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(loss, want + want_z, rtol=1e-5, atol=1e-6)


def test_the_tree_of_micro_batches_is_close_to_one_large_batch(pack: Path) -> None:
    results = []
    for micro in (1, 2, 8):
        results.append(engine(pack, small(micro_batch_sequences=micro))._gradient(1, 0))
    for other in results[:-1]:
        for mine, whole in zip(other, results[-1], strict=True):
            torch.testing.assert_close(mine, whole, rtol=1e-3, atol=1e-6)


def test_sequences_refuse_a_file_of_the_wrong_size(pack: Path, tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text((pack / "meta.json").read_text())
    (tmp_path / "tokens.bin").write_bytes((pack / "tokens.bin").read_bytes()[:-2])
    with pytest.raises(ValueError, match=r"tokens\.bin.*meta\.json"):
        Sequences(tmp_path)
