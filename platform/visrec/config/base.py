"""The base of every config: frozen, keyword-only, no unknown keys.

A config is a typed value object. To vary one, make a copy with `replace`; nothing is ever changed in place.
"""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict


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

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated again (pydantic's own `model_copy` does not validate)."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**fields, **changes})
