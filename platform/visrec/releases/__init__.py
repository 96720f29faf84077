"""Releases: everything that serving needs in one folder, the gate before it, and the pointer that makes it live.

Building one is in `visrec.releases.build`, which alone needs torch and faiss at import.
"""

from visrec.releases.catalogue import Catalogue
from visrec.releases.live import ReleaseEntry, activate, list_releases
from visrec.releases.release import CURRENT, Release, ReleaseFacts

__all__ = [
    "CURRENT",
    "Catalogue",
    "Release",
    "ReleaseEntry",
    "ReleaseFacts",
    "activate",
    "list_releases",
]
