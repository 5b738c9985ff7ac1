"""Turns a trained or foreign network into the file that is shipped: averaging, pruning, the model card, the swap."""
