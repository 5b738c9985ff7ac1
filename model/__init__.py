"""The network and all that travels with it: layer table, weights, labels, words. Imports neither app nor training."""
