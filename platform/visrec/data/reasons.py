"""Why a row or a picture was refused: the codes in `quarantine.parquet`."""

from enum import StrEnum


class Reason(StrEnum):
    """Reason codes. Their order is the order in which a row is checked: the first that fits is the one recorded."""

    # a row that cannot be read
    MALFORMED_ROW = "malformed_row"
    NOT_UTF8 = "not_utf8"
    MISSING_USER = "missing_user"
    MISSING_ITEM = "missing_item"
    UNKNOWN_KIND = "unknown_kind"
    BAD_POSITION = "bad_position"
    BAD_TIME = "bad_time"
    NEGATIVE_TIME = "negative_time"
    IMPOSSIBLE_TIME = "impossible_time"
    FUTURE_TIME = "future_time"
    # an event that does not count
    DUPLICATE = "duplicate"
    BOT = "bot"
    UNKNOWN_ITEM = "unknown_item"
    ITEM_WITHOUT_IMAGE = "item_without_image"
    NEAR_DUPLICATE = "near_duplicate"
    BELOW_K_CORE = "below_k_core"
    # an item of the catalogue
    DUPLICATE_ITEM = "duplicate_item"
    # a picture
    NO_IMAGE = "no_image"
    IMAGE_UNREADABLE = "image_unreadable"
    IMAGE_TOO_LARGE = "image_too_large"
    IMAGE_NOT_AN_IMAGE = "image_not_an_image"
    IMAGE_TOO_MANY_PIXELS = "image_too_many_pixels"
    IMAGE_TRUNCATED = "image_truncated"


REASONS: tuple[Reason, ...] = tuple(Reason)
"""All codes; a row's reason is kept as the place in this tuple while rows move."""

CODE: dict[Reason, int] = {reason: code for code, reason in enumerate(REASONS)}

NOT_DIRT: frozenset[Reason] = frozenset({Reason.DUPLICATE, Reason.NEAR_DUPLICATE, Reason.BELOW_K_CORE})
"""Reasons that say nothing about the input's quality: they do not count against `max_rejected_share`."""
