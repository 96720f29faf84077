"""Losses of positions over their candidates.

Every loss takes the scores of the candidates [P, C], the place of each position's target among them [P], and log
weights [P, C] of the candidates as negatives: 0 counts once, log w counts w times, -inf is no negative. The target's
own weight does not matter. Losses come back one a position [P]; positions do not mix.

Shape legend: P positions (events that have a next one), C candidates.
"""

from visrec.training.losses.bce import bce_loss
from visrec.training.losses.bpr import bpr_loss
from visrec.training.losses.softmax import softmax_loss

__all__ = ["bce_loss", "bpr_loss", "softmax_loss"]
