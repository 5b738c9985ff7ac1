"""The service: a photo in, labels, a sentence and the activations out. Never imports training."""
