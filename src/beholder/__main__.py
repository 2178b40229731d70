"""`python -m beholder` is the command `beholder`."""

from beholder.cli.main import main

main()
