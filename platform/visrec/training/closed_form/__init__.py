"""Phases that are solved: item vectors in closed form from the log, and the map from pictures to them.

A closed form gives each item two vectors: p, what it says about who chose it, and q, what speaks for choosing it. The
score of item i is the sum over the history of p_j . q_i. In the two-tower model that is x = [p, q], and a taste map
that moves the mean of p to where it meets q.
"""

from visrec.training.closed_form.fit import check_closed_form, fit_closed_form

__all__ = ["check_closed_form", "fit_closed_form"]
