"""``python -m wasinn_nb``."""

from wasinn_nb.cli import main

if __name__ == "__main__":
    main()
