"""Weights that somebody else trained: reading them, fitting them to a backbone, and the facts that travel with them."""

from visrec.models.weights.facts import IMAGENET, WeightsFacts
from visrec.models.weights.fit import fit_weights
from visrec.models.weights.pretrained import load_pretrained
from visrec.models.weights.read import read_weights, write_weights

__all__ = ["IMAGENET", "WeightsFacts", "fit_weights", "load_pretrained", "read_weights", "write_weights"]
