"""The workloads of visrec, one file each, and the `visrec` command that runs them.

`demo_data`, `ingest`, `train`, `tune`, `train_ranker`, `evaluate` and `publish` are functions that return an artifact;
`visrec.train` and its like name the same functions. `serve`, `demo`, `submit` and `tracking` run until they are
stopped.
"""
