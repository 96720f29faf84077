"""Unfinished folders that a killed process left behind."""

import time

from pyarrow import fs as pafs

from visrec.storage.location import Location


def remove_leftovers(folder: Location, *, older_than: float) -> list[Location]:
    """Delete the unfinished artifacts in a folder of artifacts, those in use left alone.

    On a local filesystem these are the hidden `.NAME.partial-TOKEN` folders. On an object store an unfinished artifact
    has its final name and is overwritten by the next attempt.

    Args:
        folder: Such as `<workspace>/snapshots`.
        older_than: Seconds in which nothing within may have changed.

    Returns:
        What was deleted.
    """
    if not folder.is_local:
        return []
    partial = [
        child for child in folder.children() if child.name.startswith(".") and ".partial-" in child.name
    ]
    stale = [child for child in partial if time.time() - _last_change(child) > older_than]
    for child in stale:
        child.delete()
    return stale


def _last_change(folder: Location) -> float:
    """Seconds since 1970 of the last change of the folder or of anything in it."""
    within = folder.filesystem.get_file_info(
        pafs.FileSelector(folder.path, allow_not_found=True, recursive=True)
    )
    return max((info.mtime_ns or 0) / 1e9 for info in [folder.filesystem.get_file_info(folder.path), *within])
