"""The paper of 2012: its hypotheses re-run, and how this code conforms to it."""
