"""Baselines that need no training: popularity, item-kNN, EASE. Each is a `visrec.evaluation.scorers.Scorer`."""
