"""Score tables, in and out. One file per format."""
