"""Two clips of four seconds: one good, one that falls apart halfway."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from examples import degrade
from examples.scenes import render

RATE = 24


def frames(scene: str, seed: int, size: tuple[int, int], count: int) -> Iterator[np.ndarray]:
    """Frames of a scene as time goes on."""
    for k in range(count):
        yield render(scene, *size, seed, samples=2, seconds=k / RATE)


def spoil(clip: Iterator[np.ndarray], after: int) -> Iterator[np.ndarray]:
    """The clip, starved of data from frame `after` on: a third of the size, coarse blocks."""
    for k, frame in enumerate(clip):
        if k < after:
            yield frame
        else:
            yield degrade.jpeg(degrade.lowres(frame, times=3), quality=7)


def write(path: Path, clip: Iterator[np.ndarray], size: tuple[int, int], crf: int) -> None:
    """Write frames as H.264 in an MP4 file."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(crf), "preset": "slow", "threads": "1"}
        for frame in clip:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())
