"""``python -m multillm.cli``."""

from multillm.cli import main

main()
