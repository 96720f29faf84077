"""Training of a blend: members one after the other, then their weights on the validation users."""

from visrec.training.blend.train import member_job, members_of, train_blend

__all__ = ["member_job", "members_of", "train_blend"]
