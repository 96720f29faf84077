"""Template of a picture's path: text with the item id in it, or parts of the id, or the id filled up with zeros."""

import re
from dataclasses import dataclass

_FIELD = re.compile(r"\{item_id((?:\[-?\d*(?::-?\d*)?\]|:0>\d{1,3})*)\}")
_STEP = re.compile(r"\[(-?\d*)(:?)(-?\d*)\]|:0>(\d{1,3})")


@dataclass(frozen=True, kw_only=True, slots=True)
class PathTemplate:
    """A parsed template.

    `{item_id}` is the id, `[:3]` after it its first three characters, `[-2:]` the last two, `[4]` one of them, and
    `:0>10` fills it with zeros on the left up to ten characters; several of them are applied in the order written.

    Attributes:
        texts: Text before, between and after the fields.
        fields: The steps of each field.

    Example:
        >>> PathTemplate.parse("{item_id:0>10[:3]}/{item_id:0>10}.jpg").path("108775015")
        '010/0108775015.jpg'
    """

    texts: tuple[str, ...]
    fields: tuple[str, ...]

    @classmethod
    def parse(cls, template: str) -> "PathTemplate":
        """Parse a template.

        Raises:
            ValueError: It has no `{item_id}`, or something else in braces.
        """
        texts, fields = _FIELD.split(template)[::2], _FIELD.split(template)[1::2]
        wrong = next((text for text in texts if "{" in text or "}" in text), None)
        if wrong is not None or not fields or any("[]" in field for field in fields):
            raise ValueError(
                "expected a path with the item id, such as {item_id[:3]}/{item_id}.jpg or {item_id:0>10}, "
                f"got {template!r}"
            )
        return cls(texts=tuple(texts), fields=tuple(fields))

    def path(self, item_id: str) -> str:
        """The path of an item's picture."""
        parts = [self.texts[0]]
        for steps, text in zip(self.fields, self.texts[1:], strict=True):
            parts += [_apply(steps, item_id), text]
        return "".join(parts)


def _apply(steps: str, value: str) -> str:
    for start, colon, end, width in _STEP.findall(steps):
        if width:
            value = value.rjust(int(width), "0")
        elif colon:
            value = value[int(start) if start else None : int(end) if end else None]
        else:
            place = int(start)
            value = value[place : place + 1 or None]
    return value
