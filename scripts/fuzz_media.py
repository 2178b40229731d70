"""Damages real pictures and clips in every way and looks for anything but Frames or MediaError.

    python scripts/fuzz_media.py --count 5000 --seed 1

Batches run in processes of their own, so that a crash or a hang of a decoder is found, told with
the seed that makes it again, and does not end the run. Exit code 1 when something was found.
"""

import argparse
import importlib.util
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

from beholder.errors import MediaError
from beholder.media.reading import read
from beholder.media.sampling import FrameRule

ROOT = Path(__file__).parents[1]
BATCH = 100
BATCH_SECONDS = 300
SLOW_SECONDS = 20.0


def makers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("makers", ROOT / "tests/media/makers.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["makers"] = module
    spec.loader.exec_module(module)
    return module


def samples() -> dict[str, bytes]:
    """One small valid file of every kind."""
    make = makers()
    return {**stills(make), **moving(make)}


def stills(make: ModuleType) -> dict[str, bytes]:
    image = Image.fromarray(make.picture(96, 72))
    deep = Image.fromarray(np.arange(96 * 72, dtype=np.uint16).reshape(72, 96) * 9)
    exif = Image.Exif()
    exif[0x0112] = 6
    plain = {
        "jpeg": {"format": "JPEG", "exif": exif},
        "jpeg_progressive": {"format": "JPEG", "progressive": True, "subsampling": 2},
        "png": {"format": "PNG", "exif": exif},
        "webp": {"format": "WEBP", "exif": exif},
        "webp_lossless": {"format": "WEBP", "lossless": True},
        "avif": {"format": "AVIF", "speed": 10},
        "tiff": {"format": "TIFF"},
        "tiff_lzw": {"format": "TIFF", "compression": "tiff_lzw"},
        "tiff_jpeg": {"format": "TIFF", "compression": "jpeg"},
        "tiff_deflate": {"format": "TIFF", "compression": "tiff_deflate"},
        "bmp": {"format": "BMP"},
        "gif": {"format": "GIF"},
        "ppm": {"format": "PPM"},
    }
    files = {name: saved(image, **options) for name, options in plain.items()}
    files["jpeg_cmyk"] = saved(image.convert("CMYK"), format="JPEG")
    files["jpeg_grey"] = saved(image.convert("L"), format="JPEG")
    files["png_palette"] = saved(image.quantize(16), format="PNG", transparency=3)
    files["png_alpha"] = saved(image.convert("RGBA"), format="PNG")
    files["png_deep"] = saved(deep, format="PNG")
    files["tiff_deep"] = saved(deep, format="TIFF")
    files["tiff_float"] = saved(
        Image.fromarray(np.asarray(deep) / np.float32(65535)), format="TIFF"
    )
    files["tiff_fax"] = saved(image.convert("1"), format="TIFF", compression="group4")
    for name, form in (("gif", "GIF"), ("webp", "WEBP"), ("apng", "PNG"), ("avif", "AVIF")):
        files[f"{name}_animated"] = animated(make, form)
    pages = [Image.fromarray(make.picture(40, 30, seed)) for seed in range(3)]
    files["tiff_pages"] = saved(pages[0], format="TIFF", save_all=True, append_images=pages[1:])
    files["heic"] = make.heic([make.picture(), make.picture(seed=1)], quarter_turns=1)
    return files


def animated(make: ModuleType, form: str) -> bytes:
    frames = [Image.fromarray(make.picture(48, 36, seed)) for seed in range(4)]
    return saved(frames[0], format=form, save_all=True, append_images=frames[1:], duration=120)


def saved(image: Image.Image, **options: object) -> bytes:
    store = io.BytesIO()
    image.save(store, **options)
    return store.getvalue()


def moving(make: ModuleType) -> dict[str, bytes]:
    recipes = {
        "h264_mp4": make.Recipe("libx264", format="mp4", sound_seconds=1.2),
        "h264_fast_mp4": make.Recipe(
            "libx264", format="mp4", container_options={"movflags": "+faststart"}
        ),
        "h264_fragmented_mp4": make.Recipe(
            "libx264", format="mp4", container_options={"movflags": "frag_keyframe+empty_moov"}
        ),
        "h264_mkv": make.Recipe("libx264", format="matroska"),
        "h264_ts": make.Recipe("libx264", format="mpegts"),
        "h264_flv": make.Recipe("libx264", format="flv"),
        "hevc_mp4": make.Recipe("libx265", format="mp4", options={"x265-params": "log-level=none"}),
        "vp9_webm": make.Recipe(
            "libvpx-vp9", format="webm", options={"deadline": "realtime", "cpu-used": "8"}
        ),
        "av1_mp4": make.Recipe("libsvtav1", format="mp4", options={"preset": "12"}),
        "mpeg4_avi": make.Recipe("mpeg4", format="avi", options={"bf": "2"}),
        "mpeg2_ps": make.Recipe("mpeg2video", rate=25, format="mpeg", options={}),
    }
    files = {}
    pictures = [make.picture(64, 64, seed) for seed in range(12)]
    for name, recipe in recipes.items():
        with tempfile.TemporaryDirectory() as folder:
            path = make.clip(Path(folder) / "clip", pictures, recipe)
            files[name] = path.read_bytes()
    return files


def damage(data: bytes, others: list[bytes], dice: random.Random) -> bytes:
    """One to four accidents."""
    for _ in range(dice.choice((1, 1, 2, 4))):
        data = dice.choice(ACCIDENTS)(data, others, dice)
    return data


def flip(data: bytes, _: list[bytes], dice: random.Random) -> bytes:
    """Flip bits; half of the time near the front, where headers are."""
    changed = bytearray(data)
    span = len(changed) if dice.random() < 0.5 else min(len(changed), 512)
    for _ in range(dice.choice((1, 3, 10, 50)) if span else 0):
        changed[dice.randrange(span)] ^= 1 << dice.randrange(8)
    return bytes(changed)


def overwrite(data: bytes, _: list[bytes], dice: random.Random) -> bytes:
    """Write an extreme number over a few bytes."""
    at = dice.randrange(max(1, len(data)))
    extreme = dice.choice((b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\1", b"\x80\0\0\0"))
    return data[:at] + extreme + data[at + 4 :]


def cut(data: bytes, _: list[bytes], dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data) + 1)]


def remove(data: bytes, _: list[bytes], dice: random.Random) -> bytes:
    at = dice.randrange(max(1, len(data)))
    return data[:at] + data[at + dice.choice((1, 4, 64, 1000)) :]


def repeat(data: bytes, _: list[bytes], dice: random.Random) -> bytes:
    at = dice.randrange(max(1, len(data)))
    size = dice.choice((4, 64, 1000))
    return data[: at + size] + data[at:]


def splice(data: bytes, others: list[bytes], dice: random.Random) -> bytes:
    """The front of one file, the rest of another."""
    other = dice.choice(others)
    share = dice.random() ** 2
    return data[: int(len(data) * share)] + other[int(len(other) * share) :]


ACCIDENTS: list[Callable[[bytes, list[bytes], random.Random], bytes]] = [
    flip, flip, overwrite, cut, remove, repeat, splice,
]  # fmt: skip


def cases(files: dict[str, bytes], seeds: range) -> Iterator[tuple[str, int, bytes]]:
    """Name of the file, seed and damaged bytes; the same for the same seed."""
    names, contents = list(files), list(files.values())
    for seed in seeds:
        dice = random.Random(seed)
        name = names[seed % len(names)]
        yield name, seed, damage(files[name], contents, dice)


def outcome(data: bytes) -> str:
    """`frames` or `error`; anything else is raised."""
    try:
        frames = read(data, FrameRule(4))
        try:
            for picture in frames.pictures:
                height, width, channels = picture.pixels.shape
                if picture.pixels.dtype != np.uint8 or channels != 3 or not height * width:
                    raise AssertionError(f"{picture.pixels.shape} {picture.pixels.dtype}")
        finally:
            frames.close()
    except MediaError as error:
        if "\n" in str(error) or not str(error):
            raise AssertionError(f"not one sentence: {error!r}") from error
        return "error"
    return "frames"


def run_batch(first: int, count: int, store: Path) -> int:
    """Read damaged files in this process; say each before it is tried."""
    files = {path.name: path.read_bytes() for path in sorted(store.iterdir())}
    for name, seed, data in cases(files, range(first, first + count)):
        print(json.dumps({"start": seed, "name": name}), flush=True)
        started = time.monotonic()
        try:
            result = outcome(data)
        except BaseException as error:  # noqa: BLE001  # finding it is the point
            result = f"{type(error).__name__}: {error}"
        print(json.dumps({"end": seed, "result": result, "seconds": time.monotonic() - started}))
    return 0


def watch(first: int, count: int, store: Path) -> tuple[Counter[str], list[str], float]:
    """Run a batch in a process; give tallies, findings and the slowest case in seconds."""
    command = [sys.executable, __file__, "--batch", str(first), str(count), str(store)]
    ended = ""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=BATCH_SECONDS, check=False
        )
        text = done.stdout
        if done.returncode:
            ended = f"the process died with {done.returncode}: {done.stderr.strip()[-200:]}"
    except subprocess.TimeoutExpired as error:
        text, ended = (error.stdout or b"").decode(), f"no end after {BATCH_SECONDS} s"
    tally, findings, slowest, last = Counter[str](), list[str](), 0.0, {}
    for line in text.splitlines():
        event = json.loads(line)
        if "start" in event:
            last = event
            continue
        slowest = max(slowest, event["seconds"])
        kind = event["result"] if event["result"] in {"frames", "error"} else "raised"
        tally[kind] += 1
        if kind == "raised" or event["seconds"] > SLOW_SECONDS:
            findings.append(
                f"{last['name']} seed {event['end']}: {event['result']} ({event['seconds']:.1f} s)"
            )
    if ended:
        findings.append(f"{last.get('name')} seed {last.get('start')}: {ended}")
        tally["ended"] += 1
    return tally, findings, slowest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    parser.add_argument("--store", type=Path, default=ROOT / "build/fuzz", help="valid files")
    parser.add_argument("--batch", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.batch:
        return run_batch(int(options.batch[0]), int(options.batch[1]), Path(options.batch[2]))
    options.store.mkdir(parents=True, exist_ok=True)
    for name, data in samples().items():
        (options.store / name).write_bytes(data)
        assert outcome(data) == "frames", name
    os.environ["OMP_NUM_THREADS"] = "1"
    total, found, slowest = Counter[str](), 0, 0.0
    for first in range(options.seed, options.seed + options.count, BATCH):
        tally, findings, slow = watch(first, BATCH, options.store)
        total += tally
        found += len(findings)
        slowest = max(slowest, slow)
        for finding in findings:
            print(finding, flush=True)
    print(f"{dict(total)}, slowest {slowest:.1f} s, findings {found}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
