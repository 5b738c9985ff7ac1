"""Teachers: networks trained before, ours or a public backbone that was fine-tuned, whose answers count in the loss."""
