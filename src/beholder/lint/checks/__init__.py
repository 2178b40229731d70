"""The checks, one file each: `check(case)` yields findings. The file name is its name."""
