"""What embeddings of people's own photos are good for: ``glassbot teach``, ``export`` and ``find``."""
