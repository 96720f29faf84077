"""The base of every config: frozen, keyword-only, no unknown keys.

A config is a typed value object. To vary one, make a copy with `replace`; nothing is ever changed in place.
"""

import warnings
from typing import Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, model_validator


class RenamedKeyWarning(FutureWarning):
    """A config uses the former name of a key."""


class Config(BaseModel):
    """A frozen set of named settings, checked when it is made.

    Example:
        >>> class Shape(Config):
        ...     width: int = 3
        >>> Shape(width=4).replace(width=5)
        Shape(width=5)
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )

    renamed_keys: ClassVar[dict[str, str]] = {}
    """Former names of keys, which are still read, and the names that they have now."""

    @model_validator(mode="before")
    @classmethod
    def _read_renamed_keys(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not cls.renamed_keys.keys() & values.keys():
            return values
        read: dict[str, Any] = {}
        for key, value in values.items():
            name = cls.renamed_keys.get(str(key), str(key))
            if name in read:
                raise ValueError(f"expected {name} once, got it by its former name as well")
            if name != key:
                warnings.warn(f"`{key}` is now called `{name}`", RenamedKeyWarning, stacklevel=2)
            read[name] = value
        return read

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated again (pydantic's own `model_copy` does not validate)."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**fields, **changes})


EventKind = Literal[
    "view", "click", "like", "share", "comment", "cart", "purchase", "skip", "dislike", "hide"
]

EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)
"""All kinds, in the order of their codes: the code of a kind in the files is its place here."""

NEGATIVE_KINDS: frozenset[EventKind] = frozenset({"skip", "dislike", "hide"})
"""Kinds that say a user does not want the item."""

DEFAULT_WEIGHTS: dict[EventKind, float] = {
    "view": 0.2,
    "click": 1.0,
    "like": 2.0,
    "share": 2.0,
    "comment": 1.5,
    "cart": 3.0,
    "purchase": 4.0,
    "skip": -0.5,
    "dislike": -1.0,
    "hide": -1.0,
}
"""Strength of each kind. Above 0: a positive, part of a user's sequence. Below 0: a negative.
Exactly 0: kept as an impression, neither of the two."""
