"""The lab: data, augmentation, optimisers, the training loop, evaluation. Never imported by the service."""
