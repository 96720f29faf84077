"""Hyperparameter studies: search space, schedulers, trials and their report, around the train function."""
