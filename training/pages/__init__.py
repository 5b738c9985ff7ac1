"""Pages for people to read, written by the commands."""
