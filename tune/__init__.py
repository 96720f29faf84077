"""Hyperparameter search over the train workload."""
