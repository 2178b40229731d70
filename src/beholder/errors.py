"""Every error Beholder raises on purpose.

BeholderError            a sentence for the user: what was got, what was allowed, what to do
├── UsageError           the call itself cannot be right: unknown name, wrong option, no input
├── MediaError           one picture or clip cannot be judged; in a run it becomes a row
├── ModelError           a model, its weights or its recipe cannot be used
├── TableError           a table cannot be read or written
└── MissingExtraError    an optional dependency is not installed
"""


class BeholderError(Exception):
    """Base of every error that Beholder raises on purpose."""


class UsageError(BeholderError):
    """The call cannot be right, whatever the files hold."""


class MediaError(BeholderError):
    """One picture or clip cannot be judged."""


class ModelError(BeholderError):
    """A model, its weights or its recipe cannot be used."""


class TableError(BeholderError):
    """A table cannot be read or written."""


class MissingExtraError(BeholderError):
    """An optional dependency is not installed."""
