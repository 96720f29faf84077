"""The files that an ingest reads, found before anything is done with them."""

from dataclasses import dataclass

from pyarrow import fs as pafs

from visrec.config.ingest import Ingest, InteractionsInput
from visrec.data.reading.files import InputFile, file_times, fingerprint, list_files, list_folder
from visrec.errors import DataError
from visrec.storage import Location


@dataclass(frozen=True)
class Inputs:
    """All input files.

    Attributes:
        logs: Files of each interaction log, by the name of its setting.
        items: Files of the catalogue; empty where the pictures are the catalogue.
        pictures: Files in the picture folder and, where pictures are found by name, in its sub-folders; empty where
            there is none.
        truth: Folder of the truth beside generated data, or None.
    """

    logs: dict[str, list[InputFile]]
    items: list[InputFile]
    pictures: list[pafs.FileInfo]
    truth: Location | None

    @property
    def fingerprint(self) -> str:
        """Changes as soon as any of the files does. Pictures outside of the picture folder (URIs in a column) are not
        looked at: they count by their names in the catalogue."""
        files = [file for log in [*self.logs.values(), self.items] for file in log]
        rows = [(str(f.location), f.size, f.modified) for f in files]
        pictures = [(str(i.path), int(i.size), file_times(i)) for i in self.pictures]
        return fingerprint([*rows, *pictures])


def find_inputs(config: Ingest) -> Inputs:
    """Find all files that the config names.

    Raises:
        DataError: A setting is missing that nothing can be done without, or names nothing that is there.
    """
    for setting, log in config.logs.items():
        if log.path is None:
            raise DataError(f"{setting}.path: expected a file, a folder or a glob, got nothing")
    if config.images.path is None and (config.items.path is None or config.items.columns.image is None):
        raise DataError(
            "expected pictures: a folder in ingest.images.path, or ingest.items.path with ingest.items.columns.image; "
            "got neither"
        )
    items = config.items
    return Inputs(
        {setting: _log_files(setting, log) for setting, log in config.logs.items()},
        list_files(items.path, items.format, setting="ingest.items.path") if items.path is not None else [],
        _pictures(config),
        next(filter(None, (_truth(log.path) for log in config.logs.values() if log.path)), None),
    )


def _log_files(setting: str, log: InteractionsInput) -> list[InputFile]:
    assert log.path is not None, "checked before"
    files = list_files(log.path, log.format, setting=f"{setting}.path")
    if not any(f.size for f in files):
        raise DataError(f"{setting}.path: expected a log, {log.path} is empty")
    return files


def _pictures(config: Ingest) -> list[pafs.FileInfo]:
    if config.images.path is None:
        return []
    by_name = config.items.path is None or config.items.columns.image is None
    folder = Location.parse(config.images.path)
    found = list_folder(folder, setting="ingest.images.path", sub_folders=by_name)
    if not found and by_name:
        raise DataError(
            f"ingest.images.path: expected pictures, the folder {config.images.path} holds no file"
        )
    return found


def _truth(path: str) -> Location | None:
    """The folder `truth` beside the log."""
    if "*" in path or "?" in path:
        return None
    place = Location.parse(path)
    truth = (place if place.is_dir() else place.parent) / "truth"
    return truth if (truth / "truth.json").exists() else None
