"""Releases: one folder with everything that serving needs, the gate before it, and the pointer to the live one.

    build        from checkpoint, snapshot and report to a release
    gate         conditions that the report must meet
    release      reading a release
    catalogue    its items, in order of index and of popularity
    histories    its users' events
    live         the list of releases, and the pointer

`build` and `gate` are not imported here: they need torch and faiss.
"""

from visrec.releases.catalogue import PopularItems, ReleaseCatalogue
from visrec.releases.live import ReleaseEntry, activate, list_releases
from visrec.releases.release import CURRENT, Release, ReleaseFacts

__all__ = [
    "CURRENT",
    "PopularItems",
    "Release",
    "ReleaseCatalogue",
    "ReleaseEntry",
    "ReleaseFacts",
    "activate",
    "list_releases",
]
