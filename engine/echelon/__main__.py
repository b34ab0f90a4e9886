"""`python -m echelon` is the `echelon` command."""

from echelon.cli import main

main()
