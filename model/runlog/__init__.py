"""The run log: what a training run writes down about itself, and what reads it. docs/runlog.md gives the format."""
