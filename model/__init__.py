"""The network and all that travels with it: layer table, weights, labels, words. Knows nothing of serving or training."""
