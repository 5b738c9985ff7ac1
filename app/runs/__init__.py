"""Training runs as the page /training shows them."""
