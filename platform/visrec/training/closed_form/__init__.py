"""Closed-form training phases: item vectors solved from the log, and a ridge map to them from content.

A solver gives each item two vectors: p, its contribution to a history, and q, its vector as a candidate. The score of
candidate i is the weighted sum over the history of p_j . q_i. In the two-tower model that is the item vector
x = [p, q] and a taste map that moves the mean of p to the half of q.
"""

from visrec.training.closed_form.fit import check_closed_form, fit_closed_form

__all__ = ["check_closed_form", "fit_closed_form"]
