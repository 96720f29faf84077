"""The base of every config: frozen, keyword-only, no unknown keys; and the kinds of events that configs speak of.

A config is a typed value object. To vary one, make a copy with `replace`; nothing is ever changed in place.
"""

import warnings
from typing import Any, ClassVar, Literal, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator

ConfigT = TypeVar("ConfigT", bound="Config")

STORED = "stored"
"""Key of the validation context that marks values read from an artifact: their former names are no news to anybody."""


class RenamedKeyWarning(FutureWarning):
    """A config uses the former name of a key."""


class Config(BaseModel):
    """A frozen set of named settings, validated when it is made.

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
    """Former names of keys, which are still read, and their present names."""

    @model_validator(mode="before")
    @classmethod
    def _read_renamed_keys(cls, values: Any, info: ValidationInfo) -> Any:
        if not isinstance(values, dict) or not cls.renamed_keys.keys() & values.keys():
            return values
        twice = [name for former, name in cls.renamed_keys.items() if former in values and name in values]
        if twice:
            raise ValueError(f"expected {twice[0]} once, got it by its former name as well")
        if not (info.context or {}).get(STORED):
            for former in cls.renamed_keys.keys() & values.keys():
                warn_of_renamed_key(former, cls.renamed_keys[former])
        return {cls.renamed_keys.get(key, key): value for key, value in values.items()}

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated again (pydantic's own `model_copy` does not validate)."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**fields, **changes})

    def project(self, kind: type[ConfigT]) -> ConfigT:
        """The config of another class whose fields all are among this one's, with the values of this one.

        Example:
            >>> class Shape(Config):
            ...     width: int = 3
            >>> class Box(Shape):
            ...     depth: int = 1
            >>> Box(width=4).project(Shape)
            Shape(width=4)
        """
        return kind(**{name: getattr(self, name) for name in kind.model_fields})


def warn_of_renamed_key(former: str, name: str) -> None:
    """Emit the warning that a key was given by its former name."""
    warnings.warn(f"{former} is now called {name}", RenamedKeyWarning, stacklevel=2)


EventKind = Literal[
    "view", "click", "like", "share", "comment", "cart", "purchase", "skip", "dislike", "hide"
]

EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)
"""All kinds, in the order of their codes: files hold a kind as its place in this tuple."""

NEGATIVE_KINDS: frozenset[EventKind] = frozenset({"skip", "dislike", "hide"})
"""Kinds of negative feedback."""

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
"""Weight of each kind. Above 0: a positive, part of a user's sequence. Below 0: a negative.
Exactly 0: kept as an impression, neither of the two."""
