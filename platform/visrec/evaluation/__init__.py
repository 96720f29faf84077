"""Offline evaluation: full-catalogue ranks of held-out items, ranking and beyond-accuracy metrics, bootstrap intervals.

From one user's sequence to a number in a report:

    plan.py             which model, baselines and split; how each scorer is fitted
    context.py          what all scorers are measured with: candidates, popularity, item vectors, categories
    measure.py          a block of users -> histories, held-out items, scores -> values per user
    ranks.py            scores -> ranks of the held-out items, and recommended lists
    metrics.py          ranks -> recall, NDCG, MRR, AUC, ... of each user
    beyond_accuracy.py  lists -> coverage, Gini, novelty, diversity
    pairs.py            scores -> precision, recall and F1 of held-out pairs under one threshold
    summary.py          values per user -> means, paired differences, groups, each with an interval of bootstrap.py
"""
