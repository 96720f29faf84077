"""Evaluation: full-catalogue ranks, ranking metrics, bootstrap intervals."""
