"""Where negatives come from, beside the other items of the batch: one source a file.

`drawn` (uniform and by popularity) and `queue` (recent batches) serve every sequence of a batch, `hard` and `explicit`
one sequence each: its own negatives.
"""
