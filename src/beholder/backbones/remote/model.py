"""A server as a backbone: pictures are encoded in worker threads, requests run side by side."""

import base64
import io
import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from beholder._names import unknown
from beholder.backbones import words as spelling
from beholder.backbones._choices import pick
from beholder.backbones.base import Backbone
from beholder.backbones.remote.answers import NoProbabilitiesError, Word, entries, weigh
from beholder.backbones.remote.client import Client, Limits, NoAnswerError, connect
from beholder.errors import ModelError, UsageError
from beholder.media.frames import Picture
from beholder.prompts import Prompt

CHAT: Final = "/v1/chat/completions"
PNG: Final = "data:image/png;base64,"
TOP: Final = 20
"""Tokens that every server may be asked for; vLLM refuses more by default."""
TOP_LLAMA_CPP: Final = 1000
"""llama.cpp gives as many as it is asked for."""
OTHER_WORDS: Final = "a server weighs first tokens alone: use other words with --set levels=…"
"""What to do about words that begin alike."""
ABOVE_ZERO: Final = ("timeout", "tries", "at_once")


@dataclass(frozen=True)
class Options:
    """What may be chosen about a server."""

    url: str = ""
    served: str = ""
    """The model's name there; empty: the only one it serves."""
    at_once: int = 8
    """Requests that run side by side."""
    timeout: float = 120.0
    """Seconds for one try."""
    tries: int = 5
    top: int = 0
    """Tokens asked for where given ones cannot be; 0: as many as this kind of server allows."""
    longest: int = 0
    """A single picture is shrunk to this many pixels on the longer side; 0: sent as it is."""
    longest_of_clip: int = 448
    """The same for frames that are looked at together."""


OPTIONS: Final = tuple(Options.__dataclass_fields__)
"""Names of what may be chosen."""


@dataclass
class Sent:
    """What is sent of one input, and what came of it."""

    pictures: tuple[str, ...]
    """Data URLs."""
    why: str = ""
    """Why the last request came to nothing."""


@dataclass(frozen=True)
class Remote(Backbone):
    """One model on one server."""

    client: Client
    served: str
    options: Options
    top: int
    _words: dict[tuple[Prompt, tuple[str, ...]], list[Word]] = field(default_factory=dict)
    _exact: threading.Event = field(default_factory=threading.Event)
    """Set while the server is thought to weigh given tokens."""

    def settings(self) -> Mapping[str, Any]:
        """Return all that is known to change a logit; what the server runs, only it knows."""
        return {
            "architecture": "remote",
            "server": self.client.root,
            "served": self.served,
            "pictures": "png",
            "longest": self.options.longest,
            "longest of a clip": self.options.longest_of_clip,
        }

    def encode(self, pictures: Iterable[Picture]) -> Sent:
        """Write one picture, or the frames of a clip, as PNG. Thread-safe.

        Raises:
            ModelError: when there is none.
        """
        stream = iter(pictures)
        head = [picture for _, picture in zip(range(2), stream, strict=False)]
        if not head:
            raise ModelError("a chat model looks at one picture or more, got none")
        side = self.options.longest if len(head) < 2 else self.options.longest_of_clip
        sent = [_data_url(picture, side) for picture in head]
        return Sent((*sent, *(_data_url(picture, side) for picture in stream)))

    def logits(
        self, examples: Sequence[Sent], prompt: Prompt, candidates: Sequence[str]
    ) -> Float[Tensor, "batch candidates"]:
        """Return the log-probability of each candidate as the next word, float32 on the CPU.

        The row of an input for which a word is missing is NaN, and `why` says which.

        Raises:
            ModelError: when words cannot be told apart, the key is refused, or nobody answers.
        """
        asked = self._spell(prompt, tuple(candidates))
        rows = self._rows(examples, prompt, asked)
        if examples and all(each.why for each in examples):
            self._check_alive()
        return torch.tensor(rows, dtype=torch.float32).reshape(len(examples), len(candidates))

    def _rows(
        self, examples: Sequence[Sent], prompt: Prompt, asked: Sequence[Word]
    ) -> list[list[float]]:
        """Ask side by side; when that is broken off, no thread goes on waiting for the server."""
        pool = ThreadPoolExecutor(max(1, min(self.options.at_once, len(examples))))
        is_whole = False
        try:
            waiting = [pool.submit(self._row, each, prompt, asked) for each in examples]
            for each in wait(waiting, return_when=FIRST_EXCEPTION).done:
                each.result()
            rows = [each.result() for each in waiting]
            is_whole = True
        finally:
            if not is_whole:
                self.client.brake.pull()
            pool.shutdown(wait=True, cancel_futures=True)
            self.client.brake.release()
        return rows

    def why(self, example: Sent) -> str:
        """Say why there is no row for an example."""
        return example.why or super().why(example)

    def _row(self, example: Sent, prompt: Prompt, asked: Sequence[Word]) -> list[float]:
        example.why = ""
        try:
            return weigh(asked, entries(self._ask(example, prompt, asked)))
        except NoAnswerError as error:
            example.why = f"{self.client.root} did not score this input: {error}"
        except NoProbabilitiesError as error:
            example.why = str(error)
        return [math.nan] * len(asked)

    def _ask(self, example: Sent, prompt: Prompt, asked: Sequence[Word]) -> Any:
        body = self._body(example, prompt)
        tokens = [word.token for word in asked if word.token is not None]
        if len(tokens) < len(asked) or not self._exact.is_set():
            return self.client.post(CHAT, body)
        given = {"logprob_token_ids": tokens, "return_tokens_as_token_ids": True}
        try:
            return self.client.post(CHAT, {**body, **given})
        except NoAnswerError as error:
            if error.status not in (400, 422):
                raise
            answer = self.client.post(CHAT, body)
            self._exact.clear()
            return answer

    def _body(self, example: Sent, prompt: Prompt) -> dict[str, Any]:
        """Return the request: one token, its log-probabilities, the answer already begun."""
        looks = [{"type": "image_url", "image_url": {"url": url}} for url in example.pictures]
        question = [*looks, {"type": "text", "text": prompt.question}]
        messages: list[dict[str, Any]] = [{"role": "user", "content": question}]
        if opening := prompt.opening.rstrip():
            messages.append({"role": "assistant", "content": opening})
        return {
            "model": self.served,
            "messages": messages,
            "max_tokens": 1,
            "temperature": 1.0,
            "top_p": 1.0,
            "logprobs": True,
            "top_logprobs": self.top,
            "add_generation_prompt": not opening,
            "continue_final_message": bool(opening),
            "chat_template_kwargs": {"enable_thinking": False},
        }

    def _spell(self, prompt: Prompt, candidates: tuple[str, ...]) -> list[Word]:
        key = prompt, candidates
        if key not in self._words:
            self._words[key] = self._look_up(prompt.opening.rstrip(), candidates)
        return self._words[key]

    def _look_up(self, opening: str, candidates: Sequence[str]) -> list[Word]:
        """Ask the server how it spells the words; where it does not say, they go by their text."""
        try:
            tokenizer = spelling.Tokenizer(self._encode, self._decode)
            spelled = spelling.spell(tokenizer, opening, candidates)
            first = spelling.first_tokens(tokenizer, candidates, spelled, OTHER_WORDS)
            pieces = [self._decode([token]) for token in first]
        except NoAnswerError:
            texts = [spelling.following(opening, word) for word in candidates]
            return [Word(word, text) for word, text in zip(candidates, texts, strict=True)]
        return [Word(*each) for each in zip(candidates, pieces, first, strict=True)]

    def _encode(self, text: str) -> list[int]:
        body = {"model": self.served, "prompt": text, "content": text}
        plain = {"add_special_tokens": False, "add_special": False}
        return _tokens(self.client.post("/tokenize", {**body, **plain}))

    def _decode(self, tokens: Sequence[int]) -> str:
        said = self.client.post("/detokenize", {"model": self.served, "tokens": list(tokens)})
        if isinstance(said, dict):
            for name in ("prompt", "content", "text"):
                if isinstance(text := said.get(name), str):
                    return text
        raise NoAnswerError("no text")

    def _check_alive(self) -> None:
        """Stop the run when the server does not answer at all."""
        try:
            self.client.get("/v1/models")
        except NoAnswerError as error:
            raise ModelError(
                f"{self.client.root} stopped answering: {error}; start it again"
            ) from error


def _tokens(said: Any) -> list[int]:
    tokens = said.get("tokens") if isinstance(said, dict) else None
    if not isinstance(tokens, list) or not all(isinstance(each, int) for each in tokens):
        raise NoAnswerError("no tokens")
    return tokens


def _data_url(picture: Picture, longest: int) -> str:
    image = Image.fromarray(picture.pixels)
    side = max(image.size)
    if longest and side > longest:
        width, height = (max(1, round(each * longest / side)) for each in image.size)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return PNG + base64.b64encode(buffer.getvalue()).decode("ascii")


def load(device: str = "cpu", dtype: str = "float32", **options: Any) -> Remote:  # noqa: ARG001
    """Connect to a server, and learn what it serves. `device` and `dtype` are the server's own.

    Raises:
        ModelError: when it does not answer, refuses the key, or does not serve the model.
        UsageError: for an address that is none, or an option that cannot be right.
        MissingExtraError: when httpx is not installed.
    """
    chosen = pick(Options, options, "a server")
    for name in ABOVE_ZERO:
        if not getattr(chosen, name) > 0:
            raise UsageError(f"{name} of a server is {getattr(chosen, name)}; it is above 0")
    client = connect(chosen.url, Limits(chosen.timeout, chosen.tries), chosen.at_once)
    served = _served(client, chosen.served)
    model = Remote(client, served, chosen, chosen.top or _top(client))
    model._exact.set()  # noqa: SLF001 - ours
    return model


def _served(client: Client, wanted: str) -> str:
    try:
        said = client.get("/v1/models")
        names = [str(each["id"]) for each in said["data"]]
    except NoAnswerError as error:
        raise ModelError(f"{client.root} does not answer: {error}") from error
    except (KeyError, TypeError) as error:
        raise ModelError(f"{client.root} does not list its models (/v1/models)") from error
    if wanted and wanted not in names:
        raise ModelError(unknown(f"model on {urlsplit(client.root).netloc}", wanted, names))
    if not wanted and len(names) != 1:
        raise ModelError(
            f"{client.root} serves {len(names)} models ({', '.join(names)}): "
            "choose one with --set served=NAME"
        )
    return wanted or names[0]


def _top(client: Client) -> int:
    """Return how many tokens may be asked for: llama.cpp, known by its `/props`, gives any."""
    try:
        client.get("/props")
    except NoAnswerError:
        return TOP
    return TOP_LLAMA_CPP
