"""Opening a clip: its one video stream, and how long it says it is."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from beholder.errors import MediaError
from beholder.media import limits
from beholder.media.sniff import Kind

_TAG_DURATION: Final = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")
_LONGEST_SECONDS: Final = 1e7
"""A longer stated duration (four months) is taken for damage."""


@dataclass(frozen=True)
class Clip:
    """An open container and the stream that is looked at."""

    container: InputContainer
    stream: VideoStream

    @property
    def unit(self) -> Fraction:
        """Seconds of one tick of the stream's time stamps."""
        return self.stream.time_base or Fraction(1, 90_000)

    @property
    def start(self) -> int | None:
        """Time stamp at which the stream says it starts."""
        return self.stream.start_time


Opener = Callable[[], Clip]


def open_clip(source: object, kind: Kind) -> Clip:
    """Open by the demuxer that the content asks for.

    Raises:
        MediaError: when it is damaged, or has no picture in it.
    """
    av.logging.set_level(None)
    try:
        container: InputContainer = av.open(
            source, mode="r", format=kind.reader.split(",")[0], metadata_errors="replace"
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(
            f"this {kind.name} clip is damaged or cut short ({reason(error)}):"
            " copy or download it again"
        ) from error
    try:
        stream = _stream(container, kind)
        limits.check_size(stream.codec_context.width, stream.codec_context.height)
    except MediaError:
        container.close()
        raise
    stream.codec_context.thread_count = 2
    stream.codec_context.options = {"max_pixels": str(limits.PIXELS)}
    return Clip(container, stream)


def reason(error: Exception) -> str:
    """FFmpeg's words for what went wrong, without the file name."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:160]


def _stream(container: InputContainer, kind: Kind) -> VideoStream:
    """The video stream that players show: no cover art, the default one first."""
    videos = list(container.streams.video)
    moving = [video for video in videos if not video.disposition & Disposition.attached_pic]
    if not moving:
        what = "only sound with a cover picture" if videos else "no picture in it"
        raise MediaError(f"this {kind.name} file has {what}: give a clip with a video stream")
    moving.sort(key=lambda video: not video.disposition & Disposition.default)
    for video in moving:
        if video.codec_context is not None:
            return video
    raise MediaError(
        f"no decoder for the video codec of this {kind.name} clip is built in:"
        " convert it to H.264, HEVC, VP9 or AV1"
    )


def stated_seconds(clip: Clip) -> tuple[float | None, bool]:
    """The duration that the file states, and whether it is the video stream's own.

    Of a cut AVI, FFmpeg tells what is left; its header still counts all frames.
    """
    stream = clip.stream
    own = float(stream.duration * clip.unit) if stream.duration else 0.0
    if "avi" in clip.container.format.name and stream.frames and stream.average_rate:
        own = max(own, float(stream.frames / stream.average_rate))
    if not own:
        tag = _TAG_DURATION.match(stream.metadata.get("DURATION", ""))
        own = int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3]) if tag else 0.0
    if 0 < own <= _LONGEST_SECONDS:
        return own, True
    whole = (clip.container.duration or 0) / av.time_base
    return (whole, False) if 0 < whole <= _LONGEST_SECONDS else (None, False)


@dataclass(frozen=True)
class Extent:
    """Where packets end, in seconds from the start of the video stream."""

    video: float | None
    other: float


def extent(clip: Clip, *, seek_seconds: float | None) -> Extent:
    """Look at packets, from near `seek_seconds` or from the start, without decoding.

    Raises:
        MediaError: when there are too many of them.
    """
    start = float((clip.start or 0) * clip.unit)
    if seek_seconds is not None:
        ticks = int((seek_seconds + start) / clip.unit)
        clip.container.seek(ticks, stream=clip.stream)
    video, other = None, 0.0
    for count, (index, end) in enumerate(_ends(clip.container)):
        if count > limits.PACKETS:
            raise MediaError(
                "this clip states no duration and is too long to measure: remux it, e.g."
                " ffmpeg -i CLIP -c copy CLIP.mkv"
            )
        if index == clip.stream.index:
            video = max(video or 0.0, end - start)
        else:
            other = max(other, end - start)
    return Extent(video, other)


def _ends(container: InputContainer) -> Iterator[tuple[int, float]]:
    """Stream index and end of each packet; damage ends the list."""
    try:
        for packet in container.demux():
            stamp = packet.pts if packet.pts is not None else packet.dts
            if stamp is not None and packet.time_base is not None:
                length = packet.duration or 0
                yield packet.stream.index, float((stamp + length) * packet.time_base)
    except av.FFmpegError:
        return
