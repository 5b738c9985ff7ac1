"""The peers of Glassbot: other servers of the same network, each a program of its own."""
