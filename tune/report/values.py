"""How values of objectives and settings are written for people."""

import yaml


def value(number: float) -> str:
    """A number with four digits that matter.

    Example:
        >>> value(0.123456), value(1234567.0), value(0.00001)
        ('0.1235', '1234567', '1e-05')
    """
    if number and abs(number) < 1e-3:
        return f"{number:.4g}"
    return f"{number:.0f}" if abs(number) >= 1000 else f"{number:.4f}"


def setting(found: object) -> str:
    """A setting's value for a cell, as YAML has it.

    Example:
        >>> setting({"kind": "embedding"}), setting(None)
        ('{kind: embedding}', 'null')
    """
    if found is None:
        return "null"
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, dict | list | tuple):
        return yaml.safe_dump(found, default_flow_style=True, sort_keys=False, width=10_000).strip()
    return f"{found:.4g}" if isinstance(found, float) else str(found)
