"""Laying weights onto a network: by name, or by order where the names are another library's."""

from collections.abc import Mapping

from torch import Tensor, nn

from visrec.errors import ArtifactError


def fit_weights(network: nn.Module, tensors: Mapping[str, Tensor], *, source: str) -> None:
    """Copy weights into a network that has no classifier; what the file has beyond it (a classifier) is left out.

    If the names are the same they decide. Else the tensors must follow each other in the network's own order, with the
    same shapes: so the same architecture from another library loads as well.

    Raises:
        ArtifactError: Neither fits; names the first difference.

    Example:
        >>> fit_weights(nn.Linear(2, 1), {"w": torch.ones(1, 2), "b": torch.zeros(1)}, source="example")
    """
    wanted, given = _arrays(network.state_dict()), _arrays(tensors)
    if wanted.keys() <= given.keys():
        chosen = {name: given[name] for name in wanted}
    else:
        chosen = dict(zip(wanted, given.values(), strict=False))
    for place, (name, expected) in enumerate(wanted.items()):
        found = chosen.get(name)
        if found is None or found.shape != expected.shape:
            has = "nothing" if found is None else f"{list(given)[place]} of shape {tuple(found.shape)}"
            raise ArtifactError(
                f"{source} does not fit the backbone: expected {name} of shape {tuple(expected.shape)}, got {has}"
            )
    network.load_state_dict(chosen, strict=False)


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without single numbers: batch norms count their batches in such, and old files lack them."""
    return {name: tensor for name, tensor in tensors.items() if tensor.ndim}
