"""Uploading a finished folder to the Hugging Face Hub, when the user asks for it."""

from pathlib import Path
from typing import Any

from beholder._optional import require
from beholder.errors import UsageError
from beholder.training.folder import CHECKPOINTS, KEPT_BACK

LOGIN = "log in with `hf auth login`, or set HF_TOKEN"


def check(repository: str) -> None:
    """Find out now whether an upload will be let in, not after a night of training.

    Raises:
        UsageError: when the name cannot be right, nobody is logged in, or the Hub is not reached.
        MissingExtraError: without huggingface_hub.
    """
    errors = _errors()
    try:
        require("huggingface_hub.utils", extra="train").validate_repo_id(repository)
    except errors.HFValidationError as error:
        raise UsageError(f"--push {repository!r} is no name on the Hub: {error}") from error
    if "/" not in repository:
        raise UsageError(f"--push {repository!r} names no owner: OWNER/NAME, e.g. me/my-rater")
    try:
        _hub().HfApi().whoami()
    except errors.LocalTokenNotFoundError as error:
        raise UsageError(f"--push {repository}: nobody is logged in; {LOGIN}") from error
    except (OSError, errors.HTTPError) as error:
        raise UsageError(f"--push {repository}: the Hub does not answer ({error})") from error


def push(folder: Path, repository: str, *, public: bool) -> str:
    """Upload what came out, without checkpoints and the table of opinions; return its address.

    Raises:
        UsageError: when the Hub refuses or is not reached; the folder stays as it is.
    """
    errors, api = _errors(), _hub().HfApi()
    try:
        made: Any = api.create_repo(repository, private=not public, exist_ok=True)
        api.upload_folder(
            repo_id=made.repo_id,
            folder_path=folder,
            ignore_patterns=[*KEPT_BACK, f"{CHECKPOINTS}/**"],
            commit_message="Model and card by beholder train",
        )
    except (OSError, errors.HTTPError) as error:
        raise UsageError(
            f"the upload to {repository} failed ({error}); everything is in {folder}: the same"
            " command tries again"
        ) from error
    return str(made)


def _hub() -> Any:
    return require("huggingface_hub", extra="train")


def _errors() -> Any:
    return require("huggingface_hub.errors", extra="train")
