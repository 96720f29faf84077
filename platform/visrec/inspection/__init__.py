"""Inspection of a newcomer's data: finds logs, catalogue and pictures, and drafts the config that reads them."""

from visrec.inspection.inspect import inspect_data
from visrec.inspection.readings import Inspection

__all__ = ["Inspection", "inspect_data"]
