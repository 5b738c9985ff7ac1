"""The service: HTTP, the command line, and nothing about training."""
