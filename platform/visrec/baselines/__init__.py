"""Baselines that need no training: popularity, item-kNN, EASE."""
