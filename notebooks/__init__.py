"""The talk as a notebook: ``alexnet.py`` is its source; the other modules keep its cells short."""
