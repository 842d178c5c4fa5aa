"""Scores against direct computation, lm-eval's own model class, and other batch shapes."""

import math

import pytest
import torch

import tiny_inputs
from regrow.evaluate import offline

offline.prepare()

from lm_eval.api.instance import Instance  # noqa: E402

from regrow.evaluate.lm import CheckpointLM  # noqa: E402
from regrow.evaluate.vocabulary import Vocabulary, end_token  # noqa: E402
from regrow.evaluate.windows import token_logprobs  # noqa: E402
from regrow.model.files import load  # noqa: E402
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
