"""Releases: everything that serving needs in one folder, the gate before it, and the pointer that makes it live."""

from visrec.releases.build import build_release, release_name
from visrec.releases.catalogue import Catalogue
from visrec.releases.gate import check_gate
from visrec.releases.histories import Histories
from visrec.releases.live import ReleaseEntry, activate, list_releases
from visrec.releases.release import CURRENT, Release

__all__ = [
    "CURRENT",
    "Catalogue",
    "Histories",
    "Release",
    "ReleaseEntry",
    "activate",
    "build_release",
    "check_gate",
    "list_releases",
    "release_name",
]
