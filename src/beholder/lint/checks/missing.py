"""Files that are not there."""

from collections.abc import Iterator

from beholder.lint.case import Case, Finding, found


def check(case: Case) -> Iterator[Finding]:
    """Find rows whose file is not there."""
    if case.searched:
        yield found(
            "note",
            "files were not looked at",
            [case.searched],
            "give --root FOLDER to find missing, unreadable, identical and look-alike files",
            len(case.rows),
        )
    missing = [
        f"{path} (looked in {look.file.parent})"
        for path, look in case.looks.items()
        if look.missing
    ]
    if missing:
        yield found(
            "error",
            "files that are not there",
            missing,
            "correct --root or the paths; scores over the rest are not scores on this set",
        )
