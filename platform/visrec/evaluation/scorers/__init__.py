"""Everything that can rank: the model, the baselines, and the oracle of generated data."""
