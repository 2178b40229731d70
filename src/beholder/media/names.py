"""What a file is likely to be by its name: decides which files of a folder are looked at."""

from pathlib import PurePath
from typing import Final

from beholder.media.frames import Media

PICTURES: Final = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".mpo",
        ".png",
        ".apng",
        ".webp",
        ".avif",
        ".heic",
        ".heif",
        ".hif",
        ".tif",
        ".tiff",
        ".gif",
        ".bmp",
        ".dib",
        ".pbm",
        ".pgm",
        ".ppm",
        ".pnm",
    ]
)
CLIPS: Final = frozenset(
    [
        ".mp4",
        ".m4v",
        ".mov",
        ".qt",
        ".mkv",
        ".webm",
        ".avi",
        ".mpg",
        ".mpeg",
        ".m2v",
        ".ts",
        ".mts",
        ".m2ts",
        ".vob",
        ".flv",
        ".wmv",
        ".asf",
        ".ogv",
        ".3gp",
        ".3g2",
        ".mxf",
        ".y4m",
        ".ivf",
    ]
)
LISTS: Final = frozenset([".txt", ".csv", ".jsonl", ".parquet"])
_LITTER: Final = frozenset(["thumbs.db", "desktop.ini", "ehthumbs.db"])


def hint(name: str) -> Media | None:
    """`image` or `video` by the ending; None for anything else and for hidden files.

    >>> hint("holiday/IMG_1.HEIC"), hint("a.mkv"), hint("notes.md"), hint("._a.jpg")
    ('image', 'video', None, None)
    """
    path = PurePath(name)
    if path.name.startswith(".") or path.name.lower() in _LITTER:
        return None
    ending = path.suffix.lower()
    if ending in PICTURES:
        return "image"
    return "video" if ending in CLIPS else None
