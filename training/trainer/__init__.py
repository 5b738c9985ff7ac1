"""The training loop: what a run is, one step of it, and what a step is made of."""
