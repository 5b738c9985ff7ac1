"""The log of a training run: written by the trainer, read by the page."""
