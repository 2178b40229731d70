"""Counts with their nouns."""


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun; `many` where an s at the end does not do.

    >>> counted(1, "clip"), counted(1200, "picture"), counted(2, "item has", "items have")
    ('1 clip', '1,200 pictures', '2 items have')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
