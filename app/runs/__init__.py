"""Training runs as the page shows them."""
