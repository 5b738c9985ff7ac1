"""Measures a network on held-out pictures, and calibrates the probabilities and thresholds that its sentences use."""
