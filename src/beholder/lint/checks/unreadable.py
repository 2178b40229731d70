"""Files that are there and cannot be opened."""

from collections.abc import Iterator

from beholder.lint.case import Case, Finding, found


def check(case: Case) -> Iterator[Finding]:
    """Find files that cannot be decoded."""
    broken = [
        f"{path}: {look.error}"
        for path, look in case.looks.items()
        if look.error and not look.missing
    ]
    if broken:
        yield found(
            "error",
            "files that cannot be read",
            broken,
            "get them again; a loader that skips or replaces them trains on something else",
        )
