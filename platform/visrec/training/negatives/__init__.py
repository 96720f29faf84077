"""Sources of negatives beside the other items of the batch, one a file.

`sampled` (uniform and by popularity) and `queue` (items of recent batches) serve every sequence of a batch; `hard`
(mined) and `per_sequence` (explicit negative feedback) serve one sequence each. `state` keeps across restarts what the
miner and the queue carry from step to step.
"""
