"""Clips → Frames: frames chosen by time, decoded as they are read."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Final

import av
from av.video.reformatter import VideoReformatter

from beholder.errors import MediaError
from beholder.media import yuv
from beholder.media.container import Clip, Extent, extent, open_clip, stated_seconds
from beholder.media.frames import Frames, Picture
from beholder.media.orientation import upright
from beholder.media.sampling import FrameRule
from beholder.media.sniff import Kind
from beholder.media.timeline import Timeline

_SHORT_SECONDS: Final = 0.5
_SHORT_SHARE: Final = 0.05


@dataclass(frozen=True)
class Length:
    """How long a clip is, and what is to be said about it."""

    seconds: float
    notes: tuple[str, ...] = ()


def read_clip(source: str | bytes, kind: Kind, rule: FrameRule) -> Frames:
    """Read a clip from a path (a regular file) or from its bytes.

    Raises:
        MediaError: when it has no picture, no decodable frame, or breaks off.
    """
    opener = partial(_open, source, kind)
    length = _length(opener())
    timeline = Timeline(opener)
    first = timeline.first
    height, width = first.height, first.width
    if yuv.orientation(first) >= 5:
        height, width = width, height
    seconds = length.seconds or 0.0
    pictures = _pictures(timeline, rule.times(seconds), seconds)
    notes = (*yuv.notes(first), *length.notes)
    return Frames("video", width, height, seconds, pictures, notes, timeline.close)


def _open(source: str | bytes, kind: Kind) -> Clip:
    return open_clip(BytesIO(source) if isinstance(source, bytes) else f"file:{source}", kind)


def _pictures(timeline: Timeline, moments: list[float], stated: float) -> Iterator[Picture]:
    scaler = VideoReformatter()
    frame, picture = None, None
    try:
        for moment in moments:
            found = timeline.at(moment)
            _check_end(timeline, moment, stated)
            if picture is None or found is not frame:
                frame = found
                picture = Picture(upright(yuv.to_srgb(frame, scaler), yuv.orientation(frame)))
            yield Picture(picture.pixels, moment)
    except (av.FFmpegError, MemoryError) as error:
        raise MediaError(f"a frame cannot be converted ({error}): convert the clip") from error
    finally:
        timeline.close()


def tolerated(stated: float) -> float:
    """Seconds that a clip may end before its stated duration."""
    return max(_SHORT_SECONDS, _SHORT_SHARE * stated)


def _check_end(timeline: Timeline, moment: float, stated: float) -> None:
    end = timeline.end_seconds
    if end is not None and moment > end and end < stated - tolerated(stated):
        raise MediaError(
            f"this clip breaks off: only {end:.2f} of its {stated:.2f} seconds can be decoded"
            f" ({timeline.damage or 'the rest is missing'}): copy or download it again"
        )


def _length(clip: Clip) -> Length:
    """The stated duration if packets reach it; measured where none is stated."""
    try:
        stated, own = stated_seconds(clip)
        if stated is None:
            return Length(extent(clip, seek_seconds=None).video or 0.0)
        return _checked(clip, stated, own=own)
    finally:
        clip.container.close()


def _last_packets(clip: Clip, stated: float) -> Extent:
    """Where packets end, looked for near the stated end, then from the middle on."""
    found = Extent(None, 0.0)
    for seconds in (stated - tolerated(stated) / 2, stated / 2):
        if found.video is None:
            with suppress(av.FFmpegError, OSError, OverflowError):
                found = extent(clip, seek_seconds=max(0.0, seconds))
    return found


def _checked(clip: Clip, stated: float, *, own: bool) -> Length:
    found = _last_packets(clip, stated)
    end = found.video
    if end is None:
        return Length(stated, ("its end cannot be read",))
    if end >= stated - tolerated(stated):
        short = own and stated - end > tolerated(stated) / 10
        note = f"ends {stated - end:.2f} s before its stated duration"
        return Length(stated, (note,) if short else ())
    if not own and found.other >= stated - tolerated(stated):
        return Length(end)
    raise MediaError(
        f"this clip breaks off: it states {stated:.2f} seconds but holds only {max(end, 0):.2f}:"
        " copy or download it again"
    )
