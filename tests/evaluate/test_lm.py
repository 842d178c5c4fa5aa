"""Scores against direct computation, lm-eval's own model class, and other batch shapes."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny_inputs
from regrow.learn.evaluate import offline

offline.prepare()

from lm_eval.api.instance import Instance  # noqa: E402

from regrow.learn.evaluate.generation import wanted  # noqa: E402
from regrow.learn.evaluate.lm import CheckpointLM  # noqa: E402
from regrow.learn.evaluate.vocabulary import Vocabulary, end_token  # noqa: E402
from regrow.learn.evaluate.windows import token_logprobs  # noqa: E402
from regrow.learn.model.files import load  # noqa: E402
from regrow.learn.rollout.sampler import Request, sample  # noqa: E402
from regrow.numerics.torch.install import install  # noqa: E402

TEXTS = [row for row in tiny_inputs.documents()["text"].to_list() if row.strip()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("inputs")


@pytest.fixture(scope="module")
def model(folder):
    return install(load(tiny_inputs.checkpoint(folder / "checkpoint")))


@pytest.fixture(scope="module")
def vocabulary(folder):
    return Vocabulary(tiny_inputs.tokenizer(folder / "checkpoint"))


def request(kind, *arguments):
    return Instance(request_type=kind, doc={}, arguments=arguments, idx=0)


@torch.no_grad()
def direct(model, ids):
    """Log-probabilities of tokens 1.. of `ids` from one unpadded forward pass, in float64."""
    logits = model(input_ids=torch.tensor([ids])).logits[0, :-1].double()
    return torch.log_softmax(logits, -1)[range(len(ids) - 1), ids[1:]].tolist()


def rolling(model, stream, context=64):
    """Log-likelihood of stream[1:]: disjoint windows, the last with as much context as fits."""
    found = []
    for first in range(0, len(stream) - 1, context):
        last = min(first + context, len(stream) - 1)
        start = max(0, last - context)
        found += direct(model, stream[start : last + 1])[first - start :]
    return math.fsum(found)


def test_rolling_equals_direct_scoring(model, vocabulary):
    lm = CheckpointLM(model, vocabulary)
    requests = [request("loglikelihood_rolling", text[:900]) for text in TEXTS]
    for text, found in zip(TEXTS, lm.loglikelihood_rolling(requests), strict=True):
        expected = rolling(model, [1, *vocabulary.encode(text[:900])])
        assert found == pytest.approx(expected, rel=1e-6)


def test_rolling_equals_lm_evals_own_model_class(model, vocabulary, folder):
    from lm_eval.models.huggingface import HFLM
    from transformers import AutoTokenizer

    theirs = HFLM(
        pretrained=model,
        tokenizer=AutoTokenizer.from_pretrained(folder / "checkpoint"),
        batch_size=3,
        device="cpu",
        max_length=64,
    )
    # Their tokenizer reads a spelt-out special token as the token itself; ours never does.
    texts = [text[:700] for text in TEXTS if "<|" not in text][:6]
    requests = [request("loglikelihood_rolling", text) for text in texts]
    ours = CheckpointLM(model, vocabulary).loglikelihood_rolling(requests)
    assert ours == pytest.approx(
        theirs.loglikelihood_rolling(requests, disable_tqdm=True), rel=1e-5
    )


def test_batch_shape_and_neighbours_do_not_change_a_bit(model, vocabulary):
    lm = CheckpointLM(model, vocabulary)
    windows = [window for text in TEXTS[:5] for window in lm.rolling_windows(text[:600])]
    base = token_logprobs(model, windows, rows=16)
    assert base == token_logprobs(model, windows, rows=3, pad=7)
    assert base == list(reversed(token_logprobs(model, list(reversed(windows)), rows=5)))
    assert base[4] == token_logprobs(model, [windows[4]], rows=1)[0]


def test_windows_predict_every_token_once(model, vocabulary):
    lm = CheckpointLM(model, vocabulary)
    ids = vocabulary.encode(TEXTS[0])
    windows = lm.rolling_windows(TEXTS[0])
    assert [token for _, after in windows for token in after] == ids
    assert windows[0][0] == [end_token(model)]
    assert all(len(before) + len(after) <= 65 for before, after in windows)
    assert lm.rolling_windows("") == []


def test_loglikelihood_of_a_continuation(model, vocabulary):
    lm = CheckpointLM(model, vocabulary)
    context, continuation = "The assert statement", " is a convenient way"
    ids = vocabulary.encode(context + continuation)
    n = len(vocabulary.encode(context))
    expected = math.fsum(direct(model, ids)[n - 1 :])
    found, greedy = lm.loglikelihood([request("loglikelihood", context, continuation)])[0]
    assert found == pytest.approx(expected, rel=1e-6)
    assert greedy is False
    # The likeliest next token is known to be greedy.
    with torch.no_grad():
        best = int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
    assert token_logprobs(model, [(ids, [best])], greedy=True)[0][1] is True


def test_loglikelihood_cuts_long_contexts_from_the_left(model, vocabulary):
    lm = CheckpointLM(model, vocabulary)
    long = TEXTS[0][:2000]
    ids = vocabulary.encode(long)
    (found, _), *_ = lm._loglikelihood_tokens([((long, ""), ids[:-3], ids[-3:])])
    assert found == pytest.approx(math.fsum(direct(model, ids[-65:])[-3:]), rel=1e-6)
    with pytest.raises(ValueError, match="exceeds the context of 64"):
        lm._loglikelihood_tokens([(("", "x"), [1], [2] * 65)])


def test_windows_that_do_not_fit_are_refused(model):
    for window in (([], [1]), ([1], []), ([1] * 60, [2] * 6)):
        with pytest.raises(ValueError, match="does not fit"):
            token_logprobs(model, [window])


def test_generation_stops_and_is_reproducible(model, vocabulary):
    lm = CheckpointLM(model, vocabulary)
    options = {"until": ["\n"], "max_gen_toks": 24, "do_sample": True, "temperature": 0.9}
    requests = [request("generate_until", text[:400], options) for text in TEXTS[:3]]
    first, second = lm.generate_until(requests), lm.generate_until(list(reversed(requests)))
    assert first == list(reversed(second))
    assert all("\n" not in text for text in first)
    (greedy,) = lm.generate_until([request("generate_until", "The", {"max_gen_toks": 5})])
    assert greedy == vocabulary.decode(vocabulary.encode(greedy))


def test_special_tokens_in_a_text_are_text(vocabulary):
    ids = vocabulary.encode("a <|endoftext|> b")
    assert 1 not in ids
    assert vocabulary.decode(ids) == "a <|endoftext|> b"


def test_a_folder_without_tokenizer_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json: missing"):
        Vocabulary(tmp_path)


def continued(lm, context, **options):
    (text,) = lm.generate_until([request("generate_until", context, options)])
    return text


QUESTIONS = ["The assert statement", "A class is made", "Names in a scope"]


@pytest.mark.parametrize("most", [40, 60, 63, 64, 65, 256, 10**6])
def test_a_prompt_that_fits_is_kept_whole_whatever_the_limit(model, vocabulary, most, capsys):
    lm = CheckpointLM(model, vocabulary)
    for context in QUESTIONS:
        tokens = vocabulary.encode(context)
        room = min(most, 64 - len(tokens))
        (want,) = sample(
            model,
            [Request(prompt=tokens, name=("x",))],
            max_new_tokens=room,
            temperature=0.0,
            end_tokens=[1],
        )
        assert continued(lm, context, max_gen_toks=most) == vocabulary.decode(want.tokens)
        said = capsys.readouterr().err
        assert ("leave room for fewer than" in said) == (len(tokens) + most > 64)


def test_a_prompt_that_does_not_fit_is_cut_as_lm_eval_does_and_says_so(model, vocabulary, capsys):
    lm = CheckpointLM(model, vocabulary)
    tokens = vocabulary.encode(TEXTS[0][:900])
    for most, kept in ((10, 54), (32, 32), (40, 32), (64, 32), (10**6, 32)):
        (want,) = sample(
            model,
            [Request(prompt=tokens[-kept:], name=("x",))],
            max_new_tokens=most,
            temperature=0.0,
            end_tokens=[1],
        )
        found = continued(lm, TEXTS[0][:900], max_gen_toks=most)
        assert found == vocabulary.decode(want.tokens)
        assert f"cut to their last {kept} tokens" in capsys.readouterr().err


def test_a_shorter_context_than_the_models_is_not_exceeded(model, vocabulary):
    lm = CheckpointLM(model, vocabulary, context=24)
    text = continued(lm, QUESTIONS[0], max_gen_toks=100)
    whole = continued(CheckpointLM(model, vocabulary), QUESTIONS[0], max_gen_toks=100)
    assert whole.startswith(text) and len(text) < len(whole)


@pytest.mark.parametrize(
    "name", ["max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens"]
)
@pytest.mark.parametrize("count", [0, 1, 5])
def test_every_name_of_the_limit_is_read(name, count):
    assert wanted({name: count}).max_new_tokens == count


@pytest.mark.parametrize(
    ("options", "temperature"),
    [
        ({}, 0.0),
        ({"temperature": 0.9}, 0.9),
        ({"temperature": 0.9, "do_sample": True}, 0.9),
        ({"temperature": 0.9, "do_sample": False}, 0.0),
        ({"temperature": 0.0}, 0.0),
        ({"do_sample": True}, 1.0),
        ({"do_sample": True, "temperature": 0}, 0.0),
        ({"do_sample": None, "temperature": None}, 0.0),
        (
            {"temperature": 3, "top_p": 1.0, "top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0},
            3.0,
        ),
        ({"do_sample": False, "top_p": 0.95, "top_k": 50}, 0.0),
        ({"num_beams": 1, "use_cache": True}, 0.0),
    ],
)
def test_what_is_drawn_is_what_lm_eval_draws(options, temperature):
    assert wanted(options).temperature == temperature


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 3, "top_k": 1},
        {"temperature": 0.7, "top_p": 0.9},
        {"do_sample": True, "top_k": 50},
        {"do_sample": True, "min_p": 0.05},
        {"num_beams": 4},
        {"repetition_penalty": 1.2},
        {"max_length": 100},
        {"stop": ["x"]},
        {"top_q": 1},
        {"max_gen_toks": -1},
    ],
)
def test_what_is_not_offered_is_refused_by_name(model, vocabulary, options):
    name = sorted(options.keys() - {"temperature", "do_sample"})[0]
    with pytest.raises(ValueError, match=f"generation_kwargs: {name}"):
        continued(CheckpointLM(model, vocabulary), "The", **options)


def test_stops_may_be_one_string_several_or_none():
    assert wanted({"until": "x"}).until == ("x",)
    assert wanted({"until": ["x", "", "y"]}).until == ("x", "y")
    assert wanted({"until": None}).until == wanted({}).until == ()


def joined(vocabulary):
    """A context and a continuation whose first token begins within the context, or at its start."""
    ids, ends = vocabulary.encode_with_ends("statement")
    assert ends[0] > 1
    return ids, "statement"[: ends[0] - 1], "statement"[ends[0] - 1 :]


def test_a_token_over_the_join_with_nothing_before_it_is_scored_after_the_end_token(
    model, vocabulary
):
    lm = CheckpointLM(model, vocabulary)
    ids, context, continuation = joined(vocabulary)
    pairs = [(context, continuation), ("", "statement"), ("The st", "atement"), ("s", "")]
    found = lm.loglikelihood([request("loglikelihood", *pair) for pair in pairs])
    want = math.fsum(direct(model, [end_token(model), *ids]))
    assert [x for x, _ in found[:2]] == pytest.approx([want, want], rel=1e-6)
    assert found[2][0] < 0.0


@pytest.mark.parametrize("context", ["", " ", "The", "The \n", "x" * 500])
def test_an_empty_continuation_is_certain(model, vocabulary, context):
    lm = CheckpointLM(model, vocabulary)
    pairs = [(context, ""), ("The", " cat"), (context, "")]
    found = lm.loglikelihood([request("loglikelihood", *pair) for pair in pairs])
    assert found[0] == found[2] == (0.0, True)
    assert found[1] == lm.loglikelihood([request("loglikelihood", "The", " cat")])[0]


def test_nothing_to_score_is_no_error(model, vocabulary):
    assert CheckpointLM(model, vocabulary).loglikelihood([]) == []


TEXT = st.text("ab s\n.é☃", max_size=12)


@settings(max_examples=4, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=20, max_size=40))
def test_every_pair_is_scored(model, vocabulary, pairs):
    lm = CheckpointLM(model, vocabulary)
    found = lm.loglikelihood([request("loglikelihood", *pair) for pair in pairs])
    assert len(found) == len(pairs)
    assert all(math.isfinite(value) and value <= 0.0 for value, _ in found)
