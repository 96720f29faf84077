"""Settings of the robustness evaluation."""

from typing import Literal

from pydantic import Field, field_validator

from visrec.config.base import Config

CorruptionName = Literal["jpeg", "blur", "noise", "brightness"]
Severity = Literal["mild", "medium", "strong"]


class AttackConfig(Config):
    """An attacker changes the pictures of unpopular items to push them into the lists; and common corruptions."""

    kind: Literal["pixels"] = "pixels"
    """`evaluation.attack` is null by default, which leaves robustness out; `visrec evaluate --attack pixels` sets this
    key, and so turns it on."""
    epsilons: tuple[int, ...] = (2, 4, 8)
    """Most that the attacker may change a pixel, of 255."""
    steps: int = Field(20, ge=1, le=10_000)
    """Steps of projected gradient descent."""
    step_size: float | None = Field(None, gt=0, le=255)
    """Change of a pixel in one step, of 255; null takes 2.5 epsilon / steps."""
    num_targets: int = Field(100, ge=1)
    """Items that are attacked, drawn by the seed among the less popular half."""
    max_users: int = Field(2000, ge=1)
    """Most users whose lists the attacker aims at, and on whom the effect is measured (drawn by the seed)."""
    source_checkpoint: str | None = None
    """Another checkpoint of the same snapshot: the pictures are computed against it as well, and tried on this one
    (transferred attack)."""
    corruptions: tuple[CorruptionName, ...] = ("jpeg", "blur", "noise", "brightness")
    """Changes of all pictures without an attacker."""
    severities: tuple[Severity, ...] = ("mild", "medium", "strong")

    @field_validator("epsilons")
    @classmethod
    def _epsilons(cls, epsilons: tuple[int, ...]) -> tuple[int, ...]:
        if not epsilons or min(epsilons) < 0 or max(epsilons) > 255:
            raise ValueError("needs one or more whole numbers from 0 to 255")
        return tuple(sorted(set(epsilons)))
