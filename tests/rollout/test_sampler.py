"""The sampler against full forward passes and against its own promises."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.learn.model.build import empty, initialise
from regrow.learn.model.config import olmo3_config
from regrow.learn.model.yarn import extend
from regrow.learn.rollout.decoder import Decoder
from regrow.learn.rollout.sampler import Request, sample
from regrow.numerics import torch as numerics
from regrow.numerics.torch import functional
from regrow.numerics.torch.install import install
from regrow.params.model import Model

VOCABULARY, EOS = 384, 1


def build():
    numerics.activate()
    shape = Model(hidden=64, layers=4, heads=4, kv_heads=2, ffn=96, sliding_window=16, context=64)
    built = empty(olmo3_config(shape, vocabulary=VOCABULARY, eos=EOS, pad=0))
    initialise(built, 7)
    with torch.no_grad():  # larger weights, so that logits differ well between tokens
        for weight in built.parameters():
            weight.mul_(3.0)
    return built.eval()


@pytest.fixture(scope="module")
def model():
    """The same weights with the fused operators."""
    return install(build())


def requests(*lengths, name="test"):
    rng = np.random.default_rng(3)
    return [
        Request(prompt=rng.integers(2, VOCABULARY, n).tolist(), name=(name, i))
        for i, n in enumerate(lengths)
    ]


@torch.no_grad()
def teacher(model, rollout):
    """Log-probabilities of the drawn tokens from one forward pass over the whole text."""
    ids = rollout.prompt + rollout.tokens
    logits = model(input_ids=torch.tensor([ids])).logits[0]
    first = len(rollout.prompt)
    return functional.token_logprobs(logits[first - 1 : -1], torch.tensor(rollout.tokens)).tolist()


@pytest.mark.parametrize("lengths", [(1,), (3, 9), (2, 17, 30, 5), (40, 40, 1)])
def test_cached_logprobs_are_bit_equal_to_a_full_forward(model, lengths):
    for rollout in sample(model, requests(*lengths), max_new_tokens=20, temperature=1.0):
        assert len(rollout.tokens) == 20
        difference = np.array(rollout.logprobs) - np.array(teacher(model, rollout))
        assert np.abs(difference).max() == 0.0


def test_logprobs_are_those_of_a_float64_softmax(model):
    (rollout,) = sample(model, requests(5), max_new_tokens=20, temperature=1.0)
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([rollout.prompt + rollout.tokens])).logits[0]
    expected = torch.log_softmax(logits.double(), -1)[range(4, 24), rollout.tokens]
    assert rollout.logprobs == pytest.approx(expected.tolist(), abs=2e-6)


def test_a_prompt_alone_and_in_any_batch_gives_equal_tokens_and_logprobs(model):
    asked = requests(4, 11, 23, 2, 2, 31)
    settings = {"max_new_tokens": 12, "temperature": 0.7, "end_tokens": [77, 78, 79]}
    together = sample(model, asked, **settings)
    for batch, slots in (([5, 0, 3], 3), ([2, 1, 0, 4, 5, 3], 2), ([1, 1, 0, 2, 2, 2, 1, 5], 3)):
        for i, rollout in zip(
            batch, sample(model, [asked[i] for i in batch], slots=slots, **settings), strict=True
        ):
            assert rollout == together[i]
    for i, request in enumerate(asked):
        assert sample(model, [request], **settings) == [together[i]]


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_refill_in_any_order_keeps_every_row(model, data):
    """Shared prompts, slots that end at different times, any number of slots: as one by one."""
    prompts = [r.prompt for r in requests(1, 16, 17, 33)]
    chosen = data.draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=14))
    asked = [Request(prompt=prompts[p], name=("refill", n)) for p, n in chosen]
    more = {"max_new_tokens": 9, "temperature": 1.3, "stop": lambda tokens: tokens[-1] % 5 == 0}
    rollouts = sample(model, asked, slots=data.draw(st.integers(1, 6)), **more)
    for request, rollout in zip(asked, rollouts, strict=True):
        assert [rollout] == sample(model, [request], **more)
        assert rollout.ended == (rollout.tokens[-1] % 5 == 0)
        assert rollout.logprobs == teacher(model, rollout)


@pytest.mark.parametrize(
    "heads, kv_heads, hidden", [(2, 1, 48), (4, 4, 64), (1, 1, 32), (3, 3, 240)]
)
def test_shapes_and_yarn(heads, kv_heads, hidden):
    """Head sizes that fill no vector, shared keys, another vocabulary, a scaled rotary table."""
    shape = Model(
        hidden=hidden,
        layers=2,
        heads=heads,
        kv_heads=kv_heads,
        ffn=80,
        sliding_window=20,
        context=32,
    )
    config = olmo3_config(shape, vocabulary=200, eos=1, pad=0)
    long = extend(config, context=128, factor=4.0, beta_fast=30.0, beta_slow=1.1)
    built = empty(long)
    initialise(built, 3)
    with torch.no_grad():
        for weight in built.parameters():
            weight.mul_(4.0)
    net = install(built.eval())
    asked = [Request(prompt=r.prompt[:9], name=r.name) for r in requests(70, 9, 5)]
    asked = [Request(prompt=[t % 200 for t in r.prompt], name=r.name) for r in asked]
    for rollout in sample(net, asked, max_new_tokens=110, temperature=1.0, slots=2):
        assert rollout.logprobs == teacher(net, rollout)


def test_threads_change_nothing(model):
    asked = requests(4, 30, 9, 1, 50)
    one = sample(model, asked, max_new_tokens=10, temperature=1.0, slots=3)
    try:
        numerics.activate(threads=3)
        assert sample(model, asked, max_new_tokens=10, temperature=1.0, slots=3) == one
    finally:
        numerics.activate(threads=1)


def test_the_trainers_padded_batch_gives_the_samplers_logprobs(model):
    """The forward pass of GRPO over answers of all lengths in padded micro-batches."""
    from regrow.learn.train.grpo import Answer, Answers
    from regrow.learn.train.objective import answer_logprobs, next_tokens

    rollouts = sample(
        model, requests(3, 14, 9, 9, 22), max_new_tokens=25, temperature=1.0, end_tokens=range(90)
    )
    answers = [Answer(r.prompt, r.tokens, r.logprobs, [1.0] * len(r.tokens)) for r in rollouts]
    source = Answers(answers, per_step=2)
    for index in range(2):
        batch = source.get(1, index)
        with torch.no_grad():
            logits = model(input_ids=batch.tokens, use_cache=False).logits
            found = answer_logprobs(model, batch.tokens, batch.learned)
        ahead = functional.token_logprobs(logits, next_tokens(batch.tokens, batch.learned))
        assert torch.equal(ahead[:, :-1], batch.sampler[:, 1:])
        assert torch.equal(found, batch.sampler)
        assert int(batch.learned.sum()) > 0


def test_a_model_without_the_fused_operators_is_refused():
    with pytest.raises(ValueError, match="install"):
        sample(build(), requests(4), max_new_tokens=3, temperature=1.0)


def test_broken_weights_are_an_error(model):
    broken = install(build())
    with torch.no_grad():
        broken.model.norm.weight[0] = float("nan")
    for temperature in (0.0, 1.0):
        with pytest.raises(FloatingPointError, match="not a number"):
            sample(broken, requests(4), max_new_tokens=3, temperature=temperature)


@pytest.mark.parametrize("odd", [VOCABULARY, VOCABULARY + 1, -1, -100, 10**9, 2**40])
@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_prompt_with_an_id_outside_the_vocabulary_is_named(model, odd, at):
    asked = requests(3, 5)
    asked[1].prompt[at] = odd
    with pytest.raises(
        ValueError, match=f"prompt 1: token id {odd} is outside the vocabulary of 384"
    ):
        sample(model, asked, max_new_tokens=3, temperature=1.0)


def test_the_last_id_of_the_vocabulary_is_inside(model):
    (rollout,) = sample(
        model, [Request(prompt=[VOCABULARY - 1, 0], name=("x",))], max_new_tokens=3, temperature=1.0
    )
    assert rollout.logprobs == teacher(model, rollout)


@pytest.mark.parametrize(
    ("ids", "positions", "message"),
    [
        ([3, VOCABULARY], [0, 1], "token id 384 at position 1"),
        ([-1, 3], [0, 1], "token id -1 at position 0"),
        ([3, 4], [0, 48], "token id 4 at position 48"),
        ([3, 4], [-1, 0], "token id 3 at position -1"),
    ],
)
def test_the_decoder_refuses_what_it_has_no_memory_for(model, ids, positions, message):
    decoder = Decoder(model, 1, 40)
    given = (np.array(x, dtype=np.int64) for x in (ids, [0, 0], positions, [1]))
    with pytest.raises(ValueError, match=message):
        decoder.logits(*given)


@pytest.mark.parametrize("temperature", [-1.0, -1e-9, math.nan, math.inf, -math.inf])
def test_temperatures_below_zero_or_without_a_value_are_refused(model, temperature):
    with pytest.raises(ValueError, match="temperature"):
        sample(model, requests(4), max_new_tokens=3, temperature=temperature)
    with pytest.raises(ValueError, match="temperature"):
        sample(model, [], max_new_tokens=3, temperature=temperature)


def test_names_make_the_draws(model):
    prompt = requests(5)[0].prompt
    rows = [Request(prompt=prompt, name=("a", i)) for i in range(4)] + [
        Request(prompt=prompt, name=("a", 0))
    ]
    texts = [tuple(r.tokens) for r in sample(model, rows, max_new_tokens=16, temperature=1.0)]
    assert texts[0] == texts[4]
    assert len(set(texts[:4])) == 4


def test_greedy_is_the_argmax_of_the_full_forward(model):
    (rollout,) = sample(model, requests(6), max_new_tokens=8, temperature=0)
    ids = list(rollout.prompt)
    for token in rollout.tokens:
        with torch.no_grad():
            ids_logits = model(input_ids=torch.tensor([ids])).logits[0, -1]
        assert token == int(ids_logits.argmax())
        ids.append(token)


def test_stops_at_the_end_token_and_at_the_context(model):
    (free,) = sample(model, requests(6), max_new_tokens=12, temperature=1.0)
    stop = free.tokens[4]
    (stopped,) = sample(model, requests(6), max_new_tokens=12, temperature=1.0, end_tokens=[stop])
    assert stopped.ended and stopped.tokens == free.tokens[: free.tokens.index(stop) + 1]
    (full,) = sample(model, requests(60), max_new_tokens=50, temperature=1.0)
    assert len(full.prompt) + len(full.tokens) == 64 and not full.ended


@pytest.mark.parametrize("length", [0, 64, 100])
def test_prompts_that_do_not_fit_are_refused(model, length):
    with pytest.raises(ValueError, match="needs 1 to 63"):
        sample(model, requests(length), max_new_tokens=2, temperature=1.0)


def test_no_requests_and_no_tokens(model):
    assert sample(model, [], max_new_tokens=3, temperature=1.0) == []
    (rollout,) = sample(model, requests(4), max_new_tokens=0, temperature=1.0)
    assert rollout.tokens == []
