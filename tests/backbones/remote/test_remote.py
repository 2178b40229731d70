"""A server is asked like any model; when it misbehaves, that is said and nothing is made up."""

import sys
import threading
import time
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
import server as table

from beholder.backbones import remote
from beholder.backbones.remote.client import NoAnswerError, root_of
from beholder.errors import ModelError, UsageError
from beholder.levels.scale import LEVELS
from beholder.prompts import IMAGE_QUALITY, VIDEO_QUALITY, Prompt

QUICK = {"tries": 3, "timeout": 0.5}


def connect(server, **options):
    model = remote.load(url=server.url, **{**QUICK, "timeout": 20, **options})
    object.__setattr__(model.client.limits, "pause", 0.01)
    return model


def rate(model, *pictures, prompt=IMAGE_QUALITY):
    seen = [model.encode([picture]) for picture in pictures]
    return model.logits(seen, prompt, LEVELS), [model.why(each) for each in seen]


@pytest.mark.parametrize(
    "kind", ["vllm", "old-vllm", "strict", "llama.cpp", "plain", "sentencepiece"]
)
def test_every_kind_of_server_gives_the_same_probabilities(server, grey, kind):
    server.behave(kind=kind)
    logits, _ = rate(connect(server), *(grey(bright) for bright in (0, 90, 255)))
    expected = torch.tensor([table.expected(bright) for bright in (0, 90, 255)])
    torch.testing.assert_close(logits.softmax(1), expected, atol=1e-5, rtol=0)


def test_exactly_the_level_tokens_are_asked_for_and_the_answer_is_begun(server, grey):
    rate(connect(server), grey(90))
    (body,) = server.seen()["bodies"]
    assert body["logprob_token_ids"] == [table.PIECES.index(f" {word}") for word in LEVELS]
    assert body["messages"][-1] == {"role": "assistant", "content": IMAGE_QUALITY.opening}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert (body["max_tokens"], body["logprobs"]) == (1, True)
    assert body["chat_template_kwargs"] == {"enable_thinking": False}


def test_a_question_without_an_opening_lets_the_server_begin_the_answer(server, grey):
    server.behave(kind="plain")
    rate(connect(server), grey(90), prompt=Prompt("Rate the quality of the image.", ""))
    (body,) = server.seen()["bodies"]
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (False, True)


def test_a_server_that_refuses_given_tokens_is_asked_so_once(server, grey):
    server.behave(kind="strict")
    model = connect(server, at_once=1)
    rate(model, grey(90), grey(120), grey(200))
    asked = ["logprob_token_ids" in body for body in server.seen()["bodies"]]
    assert asked == [True, False, False, False]


def test_the_frames_of_a_clip_are_sent_in_order_in_one_question(server, grey):
    model = connect(server)
    clip = model.encode([grey(0), grey(100), grey(200)])
    logits = model.logits([clip], VIDEO_QUALITY, LEVELS)
    torch.testing.assert_close(
        logits.softmax(1), torch.tensor([table.expected(100)]), atol=1e-5, rtol=0
    )
    assert len(clip.pictures) == 3
    assert len(set(clip.pictures)) == 3
    (body,) = server.seen()["bodies"]
    kinds = [part["type"] for part in body["messages"][0]["content"]]
    assert kinds == ["image_url"] * 3 + ["text"]


def test_llama_cpp_is_asked_for_more_tokens(server, grey):
    server.behave(kind="llama.cpp")
    model = connect(server)
    server.behave(kind="llama.cpp")
    rate(model, grey(90))
    assert server.seen()["bodies"][0]["top_logprobs"] == 1000


def test_a_missing_word_is_said_and_never_a_zero(server, grey):
    server.behave(fault="missing", dark=True)
    logits, whys = rate(connect(server), grey(0), grey(200))
    assert torch.isnan(logits[0]).all()
    assert "'fair' and 'bad'" in whys[0]
    assert "logprob_token_ids" in whys[0]


def test_a_placeholder_for_a_probability_is_a_missing_word(server, grey):
    server.behave(fault="placeholder")
    logits, (why,) = rate(connect(server), grey(200))
    assert torch.isnan(logits).all()
    assert "no log-probability for 'good'" in why


def test_an_answer_without_probabilities_is_said(server, grey):
    server.behave(fault="no logprobs")
    logits, (why,) = rate(connect(server), grey(0))
    assert torch.isnan(logits).all()
    assert "no log-probabilities" in why


@pytest.mark.parametrize("status", ["429", "500", "503"])
def test_what_passes_is_tried_again(server, grey, status):
    model = connect(server)
    server.behave(fault=status, left=2)
    logits, _ = rate(model, grey(90))
    assert torch.isfinite(logits).all()
    assert server.seen()["requests"] == 3


def test_tries_are_bounded_and_other_pictures_are_scored(server, grey):
    model = connect(server)
    server.behave(fault="500", left=1000, dark=True)
    logits, whys = rate(model, grey(0), grey(200))
    assert torch.isnan(logits[0]).all()
    assert torch.isfinite(logits[1]).all()
    assert "HTTP 500" in whys[0]
    assert "3 times" in whys[0]
    assert server.seen()["requests"] == 4


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("hang", "no answer within 0.5 s, 2 times"),
        ("drip", "no answer within 0.5 s, 2 times"),
        ("cut", "connection failed"),
        ("garbage", "no JSON"),
        ("400", "HTTP 400"),
    ],
)
def test_a_server_that_fails_on_a_picture_costs_that_row_alone(server, grey, fault, said):
    model = connect(server, timeout=0.5, tries=2)
    server.behave(fault=fault, left=1000, dark=True)
    begun = time.monotonic()
    logits, whys = rate(model, grey(0), grey(200))
    assert time.monotonic() - begun < 4
    assert torch.isnan(logits[0]).all()
    assert torch.isfinite(logits[1]).all()
    assert said in whys[0]


def test_an_interruption_does_not_wait_for_a_server_that_hangs(server, grey, monkeypatch):
    model = connect(server, timeout=20, tries=5)
    server.behave(fault="hang", left=1000, dark=True)
    interrupted = []

    def interrupt(waiting, **_options):
        while server.seen()["requests"] < 2:
            time.sleep(0.02)
        interrupted.append(time.monotonic())
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("beholder.backbones.remote.model.wait", interrupt)
        with pytest.raises(KeyboardInterrupt):
            rate(model, grey(0), grey(10))
    assert time.monotonic() - interrupted[0] < 2
    assert not [each for each in threading.enumerate() if "PoolExecutor" in each.name]
    logits, _ = rate(model, grey(200))
    assert torch.isfinite(logits).all()


def test_a_refused_key_does_not_wait_for_pictures_that_hang(server, grey, monkeypatch):
    model = connect(server, timeout=20, tries=5)
    server.behave(fault="hang", left=1000, dark=True)
    asks = type(model)._ask

    def ask(self, example, *rest):
        if example is bright:
            time.sleep(0.3)
            raise ModelError("the key is refused")
        return asks(self, example, *rest)

    monkeypatch.setattr(type(model), "_ask", ask)
    dark, bright = (model.encode([grey(each)]) for each in (0, 200))
    begun = time.monotonic()
    with pytest.raises(ModelError, match="key is refused"):
        model.logits([dark, bright], IMAGE_QUALITY, LEVELS)
    assert time.monotonic() - begun < 3


def test_a_server_that_dies_stops_the_run_with_a_clear_error(mortal, grey):
    model = connect(mortal, tries=2)
    mortal.behave(fault="die")
    with pytest.raises(ModelError, match=r"127\.0\.0\.1:\d+ stopped answering"):
        rate(model, grey(0), grey(200))


def test_no_server_at_all_is_a_clear_error(mortal):
    mortal.stop()
    with pytest.raises(ModelError, match="does not answer: the connection failed"):
        remote.load(url=mortal.url, tries=1)


def test_no_more_requests_at_once_than_allowed(server, grey):
    model = connect(server, at_once=2)
    server.behave(pause=0.25)
    rate(model, *(grey(20 * number) for number in range(8)))
    assert server.seen()["most"] == 2


def test_the_key_comes_from_the_environment_and_is_never_shown(server, grey, monkeypatch):
    server.behave(fault="key")
    with pytest.raises(ModelError, match="BEHOLDER_API_KEY") as refused:
        connect(server)
    assert table.KEY not in str(refused.value)
    monkeypatch.setenv("BEHOLDER_API_KEY", table.KEY)
    model = connect(server)
    server.behave(fault="500", left=1000, dark=True)
    _, whys = rate(model, grey(0), grey(200))
    assert set(server.seen()["keys"]) == {f"Bearer {table.KEY}"}
    assert "busy, …" in whys[0]
    shown = f"{whys} {model!r} {model.settings()}"
    assert table.KEY not in shown


def test_a_key_in_the_address_is_refused_and_not_repeated():
    for url in ("http://user:swordfish@127.0.0.1:1", "http://127.0.0.1:1/v1?key=swordfish"):
        with pytest.raises(UsageError, match="BEHOLDER_API_KEY") as refused:
            remote.load(url=url)
        assert "swordfish" not in str(refused.value)


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://there", "http://"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(UsageError, match="no address of a server"):
        remote.load(url=url)


def test_the_address_may_be_given_with_or_without_v1():
    assert root_of("http://h:1/v1") == root_of("http://h:1/") == "http://h:1"
    assert root_of("https://h/api/v1/") == "https://h/api"


def test_a_server_of_several_models_must_be_told_which(server):
    server.behave(kind="two")
    with pytest.raises(ModelError, match=r"tiny, other.*--set served=NAME"):
        connect(server)
    assert connect(server, served="other").settings()["served"] == "other"
    with pytest.raises(ModelError, match="did you mean 'other'"):
        connect(server, served="othr")


def test_an_unknown_option_is_refused(server):
    with pytest.raises(UsageError, match="did you mean 'timeout'"):
        remote.load(url=server.url, timout=3)
    with pytest.raises(UsageError, match="tries of a server is 'many'; it is a whole number"):
        remote.load(url=server.url, tries="many")
    with pytest.raises(UsageError, match="timeout of a server is -1; it is a number"):
        remote.load(url=server.url, timeout=-1)


@pytest.mark.parametrize("name", ["timeout", "tries", "at_once"])
def test_no_time_no_tries_and_no_requests_are_refused(name):
    with pytest.raises(UsageError, match=f"{name} of a server is 0.*above 0"):
        remote.load(url="http://127.0.0.1:9", **{name: 0})


def test_words_that_a_server_cannot_tell_apart_are_refused_with_a_way_out_it_has(server, grey):
    model = connect(server)
    with pytest.raises(ModelError, match="--set levels=") as refused:
        model.logits([model.encode([grey(90)])], IMAGE_QUALITY, ("good", "mediocre"))
    assert "exact" not in str(refused.value)


def test_settings_change_with_the_size_that_is_sent(server):
    base, small, clip = (
        connect(server, **each).settings()
        for each in ({}, {"longest": 64}, {"longest_of_clip": 64})
    )
    assert base != small != clip != base


def test_words_are_tokenized_with_nothing_added_at_either_end(server, monkeypatch):
    model = connect(server)
    bodies = []
    post = type(model.client).post
    monkeypatch.setattr(
        type(model.client),
        "post",
        lambda self, path, body: bodies.append(body) or post(self, path, body),
    )
    assert model._encode(" good") == [table.PIECES.index(" good")]
    assert (bodies[0]["add_special_tokens"], bodies[0]["add_special"]) == (False, False)


def test_pauses_between_tries_double(server, grey, monkeypatch):
    model = connect(server, tries=4)
    pauses = []
    monkeypatch.setattr(model.client.brake.pulled, "wait", pauses.append)
    server.behave(fault="500", left=3)
    rate(model, grey(90))
    assert pauses == pytest.approx([0.01, 0.02, 0.04])


def test_an_answer_that_is_too_long_is_not_read_on(server, grey, monkeypatch):
    model = connect(server)
    monkeypatch.setattr("beholder.backbones.remote.client.LONGEST_ANSWER", 100)
    with pytest.raises(NoAnswerError, match="longer than 100 bytes"):
        model.client.post(
            "/v1/chat/completions", model._body(model.encode([grey(90)]), IMAGE_QUALITY)
        )
