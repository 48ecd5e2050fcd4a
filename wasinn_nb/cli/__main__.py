"""``python -m wasinn_nb.cli``."""

from wasinn_nb.cli import main

main()
