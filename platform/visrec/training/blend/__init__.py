"""Training of a blend: members one after the other, then their weights on the validation users."""

from visrec.training.blend.environment import members_so_far
from visrec.training.blend.jobs import member_job, members_of
from visrec.training.blend.train import train_blend

__all__ = ["member_job", "members_of", "members_so_far", "train_blend"]
