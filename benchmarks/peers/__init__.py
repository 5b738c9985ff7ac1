"""Other ways to serve the same network, each a server of its own."""
