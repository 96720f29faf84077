"""The training loop and its parts: batches, losses, negatives, adversaries, closed forms, validation."""
