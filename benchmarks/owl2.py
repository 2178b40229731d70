"""How fast mPLUG-Owl2 rates, against a plain forward pass of the same weights.

    python benchmarks/owl2.py                        a medium random model on the CPU
    python benchmarks/owl2.py --device cuda --real   the published 7B shape, random weights
    ... --device cuda --real --dtype int8            the same in 8 bits, with bitsandbytes

The plain pass has no shortcuts: attention written out, every position through the whole output
head, the whole sentence read for every picture. Beholder need not be installed.
"""

import argparse
import ctypes
import importlib.metadata
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))


@contextmanager
def _any_version() -> Iterator[None]:
    """Let a package that is not installed have a version."""
    ask = importlib.metadata.version

    def answer(name: str) -> str:
        try:
            return ask(name)
        except importlib.metadata.PackageNotFoundError:
            return "0"

    importlib.metadata.version = answer
    try:
        yield
    finally:
        importlib.metadata.version = ask


with _any_version():
    from beholder.backbones.owl2 import forms, lessons, loading, quantised
    from beholder.backbones.owl2.config import Abstractor, Config, Vision
    from beholder.backbones.owl2.features import Seen
    from beholder.backbones.owl2.model import Owl2, Parts
    from beholder.backbones.owl2.network import Network
    from beholder.backbones.owl2.pixels import Pixels
    from beholder.backbones.owl2.tokens import read as read_tokens
    from beholder.levels.scale import LEVELS
    from beholder.prompts import IMAGE_AESTHETICS, IMAGE_QUALITY, VIDEO_QUALITY, Prompt

MEDIUM = Config(
    hidden_size=512,
    intermediate_size=1376,
    num_hidden_layers=8,
    num_attention_heads=8,
    num_key_value_heads=8,
    vision=Vision(384, 1536, 6, 6),
    abstractor=Abstractor(384, 384, 1056, 6, 6),
)
REAL = Config()
NUMBERS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Taken:
    """What one measurement found."""

    seconds: float
    peak_bytes: int
    logits: torch.Tensor


def make(config: Config, dtype: torch.dtype, device: str, seed: int = 0) -> Owl2:
    """Return a model of random weights whose logits have a deviation of about one."""
    network = loading.build(config).to(dtype).to_empty(device=device)
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if "norm" in name or name.endswith("_ln.weight"):
                tensor.fill_(0.0 if name.endswith("bias") else 1.0)
            elif tensor.dim() >= 2 and "embed" not in name:
                tensor.normal_(0, tensor[0].numel() ** -0.5)
            else:
                tensor.normal_(0, 0.02 if name.endswith("bias") else 0.5)
    network.eval().requires_grad_(requires_grad=False)
    tokens = read_tokens(Path("nowhere"), config.vocab_size)
    return Owl2(Parts(network, tokens, Pixels(config.vision.image_size), f"random {seed}"))


def squares(config: Config, frames: Sequence[int], seed: int = 1) -> list[torch.Tensor]:
    """Return random 8-bit pictures: one tensor an input, of as many frames as asked."""
    make = torch.Generator().manual_seed(seed)
    side = config.vision.image_size
    shapes = [(count, 3, side, side) for count in frames]
    return [torch.randint(0, 256, s, generator=make, dtype=torch.uint8) for s in shapes]


def quick(model: Owl2, inputs: Sequence[torch.Tensor], prompt: Prompt) -> torch.Tensor:
    """Rate as Beholder does; every input is new, so that nothing seen before is used."""
    return model.logits([Seen(each) for each in inputs], prompt, LEVELS)


def plain(model: Owl2, inputs: Sequence[torch.Tensor], prompt: Prompt) -> torch.Tensor:
    """Rate without shortcuts."""
    network: Network = model._network
    ids = model._tokens.ids(forms.form(forms.DEFAULT).compose(prompt))
    with torch.inference_mode(), _eager_attention():
        batch = [lessons.Lesson(ids, [_normalised(model, each)]) for each in inputs]
        logits = lessons.logits(network, batch)
        ends = [len(ids) - 1 + len(each) * network.config.tokens - 1 for each in inputs]
        last = logits[torch.arange(len(ends)), ends]
        return last[:, model._tokens.words(list(LEVELS))].float().cpu()


def _normalised(model: Owl2, each: torch.Tensor) -> torch.Tensor:
    network = model._network
    return model._pixels.normalise(each.to(network.device)).to(network.dtype)


@contextmanager
def _eager_attention() -> Iterator[None]:
    fused = functional.scaled_dot_product_attention

    def eager(query, key, value, attn_mask=None, is_causal=False):
        weights = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        if is_causal:
            size = weights.shape[-2:]
            ones = torch.ones(size, dtype=torch.bool, device=weights.device)
            weights = weights.masked_fill(~ones.tril(), float("-inf"))
        if attn_mask is not None:
            weights = weights + attn_mask
        return weights.softmax(-1, torch.float32).to(query.dtype) @ value

    functional.scaled_dot_product_attention = eager
    try:
        yield
    finally:
        functional.scaled_dot_product_attention = fused


def take(run: Callable[[], torch.Tensor], device: str, repeats: int) -> Taken:
    """Run a few times; seconds of the fastest, memory of the hungriest beyond what was held."""
    if repeats > 1:
        run()
    seconds = []
    with _peak(device) as peak:
        for _ in range(repeats):
            start = _clock(device)
            logits = run()
            seconds.append(_clock(device) - start)
    return Taken(min(seconds), peak[0], logits)


def _clock(device: str) -> float:
    """CPU seconds of the process on a CPU, which others may use too; wall seconds elsewhere."""
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


@contextmanager
def _peak(device: str) -> Iterator[list[int]]:
    """Measure the most memory in use, beyond what is in use at the start."""
    found = [0]
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
        yield found
        found[0] = torch.cuda.max_memory_allocated()
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    start, done = _resident(), threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            found[0] = max(found[0], _resident() - start)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()


def _resident() -> int:
    path = Path("/proc/self/statm")
    return int(path.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if path.exists() else 0


def on_cpu(repeats: int) -> None:
    """Print the comparison for the medium model."""
    models = {name: make(MEDIUM, dtype, "cpu") for name, dtype in NUMBERS.items()}
    models["bfloat16"]._network.load_state_dict(models["float32"]._network.state_dict())
    print(f"medium model, {_parameters(models['float32']) / 1e6:.0f} M parameters, CPU seconds")
    print(f"{'inputs':>22} {'path':>14} {'per s':>8} {'times':>6} {'peak MB':>8} {'off by':>9}")
    for batch in (1, 8, 32):
        few = 1 if batch == 32 else repeats
        _compare(models, f"{batch} pictures", [1] * batch, few, IMAGE_QUALITY)
    _compare(models, "1 clip of 8", [8], repeats, VIDEO_QUALITY)
    _compare(models, "4 clips of 2, 4, 6, 8", [2, 4, 6, 8], 1, VIDEO_QUALITY)
    _two_tasks(models["float32"], repeats)


def _compare(
    models: dict[str, Owl2], what: str, frames: Sequence[int], repeats: int, prompt: Prompt
) -> None:
    inputs = squares(MEDIUM, frames)
    exact = models["float32"]
    base = take(lambda: plain(exact, inputs, prompt), "cpu", repeats)
    paths = {"plain float32": base}
    for name, model in models.items():
        paths[name] = take(lambda model=model: quick(model, inputs, prompt), "cpu", repeats)
    for name, found in paths.items():
        off = (found.logits - base.logits).abs().max().item()
        print(
            f"{what:>22} {name:>14} {len(frames) / found.seconds:8.2f} "
            f"{base.seconds / found.seconds:5.2f}x {found.peak_bytes / 1e6:8.0f} {off:9.1e}",
            flush=True,
        )


def _two_tasks(model: Owl2, repeats: int) -> None:
    """Print what a second question costs."""
    inputs = squares(MEDIUM, [1] * 8)

    def both() -> torch.Tensor:
        seen = [Seen(each) for each in inputs]
        first = model.logits(seen, IMAGE_QUALITY, LEVELS)
        return torch.cat([first, model.logits(seen, IMAGE_AESTHETICS, LEVELS)])

    one = take(lambda: quick(model, inputs, IMAGE_QUALITY), "cpu", repeats).seconds
    two = take(both, "cpu", repeats).seconds
    print(f"a second question about 8 pictures: {two / one - 1:.0%} more time, float32")


def make_small(config: Config, kind: str, device: str) -> Owl2:
    """Return a model of random weights in 8 or 4 bits, filled on the device by way of the CPU."""
    full = make(config, quantised.KINDS[kind].dtype, device)
    network = quantised.shrink(full._network.to("cpu"), kind, device)
    torch.cuda.empty_cache()
    return Owl2(Parts(network, full._tokens, full._pixels, "random"), numbers=kind)


def on_gpu(config: Config, device: str, dtype: str, *, compiled: bool) -> None:
    """Print images per second, memory and share of the matrix rate on a GPU."""
    rate = matrix_rate(device)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {dtype}")
    print(f"measured matrix rate, bfloat16: {rate / 1e12:.0f} TFLOP/s")
    if dtype in quantised.KINDS:
        model = make_small(config, dtype, device)
    else:
        model = make(config, NUMBERS[dtype], device)
    if compiled:
        for layer in model._network.model.vision_model.encoder.layers:
            layer.compile()
    held = torch.cuda.memory_allocated()
    print(f"{_parameters(model) / 1e9:.2f} G parameters, {held / 1e9:.1f} GB")
    title = ("inputs", "per s", "tokens/s", "TFLOP/s", "share", "peak GB", "TFLOP each")
    print("{:>16} {:>8} {:>9} {:>8} {:>6} {:>8} {:>10}".format(*title))
    for batch in (1, 8, 32, 64):
        _on_gpu(model, f"{batch} pictures", [1] * batch, rate)
    _on_gpu(model, "8 clips of 8", [8] * 8, rate)
    base = take(lambda: plain(model, squares(config, [1] * 8), IMAGE_QUALITY), device, 3)
    print(f"plain, 8 pictures: {8 / base.seconds:.1f} per s, {base.peak_bytes / 1e9:.1f} GB")
    fast = quick(model, squares(config, [1] * 8), IMAGE_QUALITY)
    print(f"logits off by {(fast - base.logits).abs().max():.2g}, std {base.logits.std():.2g}")


def _on_gpu(model: Owl2, what: str, frames: Sequence[int], rate: float) -> None:
    config = model._network.config
    inputs = [each.pin_memory() for each in squares(config, frames)]
    found = take(lambda: quick(model, inputs, IMAGE_QUALITY), "cuda", 5)
    work = sum(flops(config, count) for count in frames)
    tokens = sum(count * config.tokens + 12 for count in frames)
    row = (
        f"{what:>16} {len(frames) / found.seconds:8.1f} {tokens / found.seconds:9.0f}"
        f" {work / found.seconds / 1e12:8.0f} {work / found.seconds / rate:6.1%}"
        f" {found.peak_bytes / 1e9:8.1f} {work / len(frames) / 1e12:10.2f}"
    )
    print(row, flush=True)


def matrix_rate(device: str, size: int = 8192) -> float:
    """Return the floating-point operations per second of a large bfloat16 product."""
    left, right = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in "ab")
    for _ in range(5):
        left @ right
    seconds = []
    for _ in range(10):
        start = _clock(device)
        for _ in range(5):
            left @ right
        seconds.append((_clock(device) - start) / 5)
    return 2 * size**3 / statistics.median(seconds)


def flops(config: Config, frames: int, before: int = 15, after: int = 12) -> float:
    """Return the operations that rating one input takes here: 2 a weight and token, attention."""
    eye, hand, width = config.vision, config.abstractor, config.hidden_size
    patches, queries = eye.tokens, hand.num_learnable_queries
    layer = 4 * eye.hidden_size**2 + 2 * eye.hidden_size * eye.intermediate_size
    seen = 2 * patches * layer + 4 * patches**2 * eye.hidden_size
    keys = patches + queries
    square = hand.hidden_size**2
    read = 2 * square * (2 * queries + 2 * keys) + 4 * queries * keys * hand.hidden_size
    read += 2 * queries * 3 * hand.hidden_size * hand.intermediate_size
    looking = seen * eye.num_hidden_layers + read * hand.num_hidden_layers
    looking += 2 * queries * hand.hidden_size * width
    tokens = frames * config.tokens + after
    few = config.num_key_value_heads * config.head_size
    own = 2 * width**2 + 3 * width * config.intermediate_size
    shared = 2 * width * few
    attention = 4 * (before * tokens + tokens * (tokens + 1) / 2) * width
    full = 2 * tokens * (own + shared) + attention
    last = 2 * (own + tokens * shared) + 4 * (before + tokens) * width
    return frames * looking + (config.num_hidden_layers - 1) * full + last


def _parameters(model: Owl2) -> int:
    return sum(each.numel() for each in model._network.parameters())


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--real", action="store_true", help="the shape of the published 7B")
    parser.add_argument("--dtype", default="bfloat16", help="on a GPU: bfloat16, int8, int4")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--compile", action="store_true", help="compile the vision layers (GPU)")
    asked = parser.parse_args()
    if asked.device == "cpu":
        torch.set_num_threads(1)
        on_cpu(asked.repeats)
    else:
        config = REAL if asked.real else MEDIUM
        on_gpu(config, asked.device, asked.dtype, compiled=asked.compile)


if __name__ == "__main__":
    main()
