"""What the vision tower saw, kept while its input lives, so that a second question need not look.

A run asks every task of one batch before it goes on to the next. What is kept is bounded by a
number of pictures; the oldest goes first.
"""

from weakref import WeakKeyDictionary

from jaxtyping import Float, UInt8
from torch import Tensor


class Seen:
    """What `encode` keeps of one input: a picture, or the frames of a clip."""

    def __init__(self, squares: UInt8[Tensor, "frames 3 side side"]) -> None:
        self.squares = squares


class Features:
    """A bounded memory from inputs to visual tokens."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: WeakKeyDictionary[Seen, Tensor] = WeakKeyDictionary()

    def get(self, seen: Seen) -> Float[Tensor, "tokens width"] | None:
        """Return what was kept of an input."""
        return self._kept.get(seen)

    def keep(self, seen: Seen, tokens: Float[Tensor, "tokens width"]) -> None:
        """Keep the visual tokens of an input, and let the oldest go when there are too many."""
        self._kept[seen] = tokens
        pictures = sum(len(each.squares) for each in self._kept)
        for oldest in list(self._kept):
            if pictures <= self.most:
                break
            pictures -= len(oldest.squares)
            self._kept.pop(oldest, None)
