"""Names made from content: equal input and config give the same name, so work is found instead of done again."""

import hashlib
import json
from typing import Any

from visrec.config.base import Config


def content_id(*parts: Any) -> str:
    """Twelve hex digits of the SHA-256 of the parts as canonical JSON; configs count by their values.

    Example:
        >>> content_id({"a": 1}) == content_id({"a": 1})
        True
    """
    plain = [p.model_dump(mode="json") if isinstance(p, Config) else p for p in parts]
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
