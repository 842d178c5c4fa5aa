"""Which tasks are asked, and how they are judged."""

import polars as pl
import pytest

from regrow.data.tables import parquet
from regrow.data.tokens import chat
from regrow.learn.rl.prompts import choose, load_tokenizer
from regrow.learn.rollout.stop import stopping


@pytest.fixture(scope="module")
def tokenizer(world):
    return load_tokenizer(world / "tokenizer")


def ask(world, tokenizer, form="think", count=20, room=60, key="k"):
    path = world / "tasks" / "train.parquet"
    return choose(path, tokenizer, form, count=count, room=room, key=key, step="pairs")


def test_families_come_in_turn_in_a_keyed_order(world, tokenizer):
    chosen, drops = ask(world, tokenizer)
    assert [p.family for p in chosen] == ["larger", "repeat"] * 10
    assert not drops and len({p.task for p in chosen}) == 20
    assert ask(world, tokenizer, count=8)[0] == chosen[:8]
    other, _ = ask(world, tokenizer, key="other")
    assert {p.task for p in other} != {p.task for p in chosen}
    everything, _ = ask(world, tokenizer, count=10_000)
    assert len(everything) == 120
    first = chosen[0]
    assert first.tokens == chat.prompt(tokenizer, first.question, "think")


def test_prompts_without_room_are_dropped_with_a_reason(world, tokenizer):
    chosen, drops = ask(world, tokenizer, count=1000, room=14)
    assert len(chosen) + len(drops) == 120 and drops
    assert all(len(p.tokens) <= 14 for p in chosen)
    assert {d["reason"] for d in drops} == {"prompt_too_long"}
    assert all(d["value"] > d["threshold"] == 14 for d in drops)
    parquet.drops(drops)
    with pytest.raises(ValueError, match="no task that can be asked"):
        ask(world, tokenizer, room=2)


def test_tasks_with_tools_are_not_asked(world, tokenizer, tmp_path):
    rows = parquet.read(world / "tasks" / "train.parquet")
    odd = rows.with_columns(
        pl.when(pl.col("family") == "repeat")
        .then(pl.lit("tool"))
        .otherwise(pl.col("verifier"))
        .alias("verifier")
    )
    parquet.write(odd, tmp_path / "train.parquet")
    chosen, _ = choose(
        tmp_path / "train.parquet", tokenizer, "think", count=999, room=60, key="k", step="x"
    )
    assert {p.family for p in chosen} == {"larger"}


def test_a_folder_without_a_tokenizer(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json"):
        load_tokenizer(tmp_path)


def test_the_plain_form_stops_at_the_blank_line_behind_the_answer(world, tokenizer):
    stop = stopping(tokenizer, "plain")
    rows = parquet.read(world / "tasks" / "train.parquet").rows(named=True)[:20]
    for row in rows:
        text = chat.plain(row["question"], row["trace"], row["answer"])
        whole = chat._text(tokenizer, text + "Q")
        begin = len(chat.prompt(tokenizer, row["question"], "plain"))
        answer = whole[begin:]
        ends = [n for n in range(1, len(answer) + 1) if stop(answer[:n])]
        assert ends and chat.decode(tokenizer, answer[: ends[0]]).endswith(
            f"Answer: {row['answer']}\n\n"
        )
        assert ends[0] == min(
            n
            for n in range(1, len(answer) + 1)
            if chat.finished(chat.decode(tokenizer, answer[:n]), "plain")
        )
    assert stopping(tokenizer, "think") is None
