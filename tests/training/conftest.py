"""`killed.py` is run, not collected."""

collect_ignore = ["killed.py"]
