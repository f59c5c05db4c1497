"""``python -m trimtab.cli``, which is ``trimtab``."""

from trimtab.cli import entry

if __name__ == "__main__":
    entry()
