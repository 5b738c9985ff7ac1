"""Measuring a network on held-out pictures, and calibrating what it says."""
