"""Walking along a clip: the frame shown at a moment, forward only, in bounded memory.

The frame shown at a moment is the last whose time stamp is not after it. Between two moments
the walk decodes on, or jumps where a keyframe lies between; which of both never changes the
frame that is found.
"""

from collections.abc import Iterator
from itertools import takewhile
from typing import Final

import av
from av import VideoFrame

from beholder.errors import MediaError
from beholder.media.container import Opener, reason

_TRIES: Final = 4
_BLIND_SECONDS: Final = 10.0
"""Without an index, a jump is tried only over more than this."""


class Timeline:
    """A clip that is read forward. `close` it."""

    def __init__(self, opener: Opener) -> None:
        """Open and decode the first frame.

        Raises:
            MediaError: when no frame can be decoded.
        """
        self._opener = opener
        self._seekable = True
        self._restart()
        if self._next is None:
            self.close()
            raise MediaError(
                f"no frame of this clip can be decoded ({self._damage or 'it holds none'}):"
                " copy or download it again"
            )
        self.first: Final = self._next
        self._origin: Final = self._next_stamp
        self._now, self._now_stamp = self._next, self._next_stamp

    def _restart(self) -> None:
        self.clip = self._opener()
        self._damage = ""
        self._load_index()
        self._blind = len(self.clip.stream.index_entries) == 0
        self._frames = self._decoded()
        self._next: VideoFrame | None = None
        self._next_stamp = 0
        self._advance()

    def _load_index(self) -> None:
        """Matroska reads its index at the first seek."""
        if "matroska" in self.clip.container.format.name:
            self._jump(self.clip.start or 0)

    def close(self) -> None:
        """Free the decoder and the file."""
        self.clip.container.close()

    @property
    def end_seconds(self) -> float | None:
        """Where the last decodable frame ends, once the walk has come there."""
        if self._next is not None:
            return None
        length = self._now.duration or self._step()
        return float((self._now_stamp + length - self._origin) * self.clip.unit)

    @property
    def damage(self) -> str:
        """What the decoder said last about packets that were skipped; empty if none were."""
        return self._damage

    def at(self, seconds: float) -> VideoFrame:
        """The frame shown `seconds` after the first one. Moments must not go back."""
        target = self._origin + int(seconds / self.clip.unit + 1e-4)
        self._skip_to(target)
        while self._next is not None and self._next_stamp <= target:
            self._now, self._now_stamp = self._next, self._next_stamp
            self._advance()
        return self._now

    def _skip_to(self, target: int) -> None:
        """Jump if a keyframe lies between here and the target."""
        if not self._seekable or self._next is None:
            return
        here = self._next_stamp
        goals = list(takewhile(lambda goal: goal > here, self._goals(target)))
        for goal in goals:
            if self._land(goal, target):
                return
        if goals:
            self._seekable = False
            self._rewind()

    def _land(self, goal: int, target: int) -> bool:
        """Jump to `goal`; say whether a frame at or before the target was found there."""
        if not self._jump(goal):
            return False
        self._frames = self._decoded()
        self._next_stamp = goal
        self._advance()
        if self._next is None or self._next_stamp > target:
            return False
        self._now, self._now_stamp = self._next, self._next_stamp
        return True

    def _rewind(self) -> None:
        """Start again from the front, to go on without jumps."""
        self.close()
        self._restart()
        if self._next is not None:
            self._now, self._now_stamp = self._next, self._next_stamp

    def _jump(self, stamp: int) -> bool:
        try:
            self.clip.container.seek(stamp, stream=self.clip.stream)
        except (av.FFmpegError, OSError, OverflowError):
            return False
        return True

    def _goals(self, target: int) -> Iterator[int]:
        """Where to jump to: the keyframes up to the target, last first, from the index.

        Without an index, some seconds before the target, if it is far away. The index is by
        decoding time, so that a keyframe may be shown only after the target: hence more than one.
        """
        if self._blind:
            if (target - self._next_stamp) * self.clip.unit > _BLIND_SECONDS:
                yield from (target - int(back / self.clip.unit) for back in (1, 3, 9))
            return
        index, goal = self.clip.stream.index_entries, target
        for _ in range(_TRIES):
            entry = index.search_timestamp(goal)
            if entry < 0:
                return
            goal = index[entry].timestamp
            yield goal
            goal -= 1

    def _advance(self) -> None:
        previous = self._next_stamp
        self._next = next(self._frames, None)
        if self._next is not None:
            stamp = self._next.pts if self._next.pts is not None else self._next.dts
            self._next_stamp = previous + self._step() if stamp is None else stamp

    def _step(self) -> int:
        """Ticks of a usual frame."""
        rate = self.clip.stream.average_rate or self.clip.stream.guessed_rate
        return max(1, round(1 / (rate * self.clip.unit))) if rate else 1

    def _decoded(self) -> Iterator[VideoFrame]:
        """All whole frames from here on; damaged packets are skipped and remembered."""
        try:
            for packet in self.clip.container.demux(self.clip.stream):
                try:
                    frames = packet.decode()
                except (av.FFmpegError, OSError) as error:
                    self._damage = reason(error)
                    continue
                for frame in frames:
                    if isinstance(frame, VideoFrame) and not frame.is_corrupt:
                        yield frame
        except (av.FFmpegError, OSError) as error:
            self._damage = reason(error)
