"""What methods that stand on CLIP ask of a backbone before they use it."""

from collections.abc import Mapping, Sequence
from typing import Final

from beholder.backbones.base import Backbone
from beholder.backbones.clip.model import Clip
from beholder.errors import UsageError

USUAL: Final[Mapping[str, str]] = {"positions": "grid", "scale": "of the weights"}
"""Options of CLIP that not every method has a use for, and what they are where nobody chose."""


def clip_of(backbone: Backbone, method: str, fixed: Sequence[str] = ()) -> Clip:
    """Return the backbone as a CLIP; options of `USUAL` in `fixed` are not the user's to choose.

    Raises:
        UsageError: when it is another backbone, or one of these options was chosen.
    """
    if not isinstance(backbone, Clip):
        raise UsageError(
            f"{method} stands on the features of a CLIP; this model is none: name one that is"
        )
    settings = backbone.settings()
    for name in fixed:
        if settings[name] != USUAL[name]:
            raise UsageError(f"{name} cannot be chosen for {method}: leave {name} out")
    return backbone
