"""Inference: decoding pictures, admitting requests, batching, the engine and its caches; no HTTP in here."""
