"""Adversaries of training: who changes the inputs of a step so that the loss rises.

An adversary is a function from a `Forward` to the losses that the step descends, [P] each, one after the other: the
step updates the weights between them. Its perturbations carry no gradient.
"""

from visrec.training.adversaries.choose import LossStream, choose_adversary, no_adversary

__all__ = ["LossStream", "choose_adversary", "no_adversary"]
