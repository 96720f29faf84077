"""Pictures of all items in the picture folder: by `ingest.images.path_template`, or by what files are called."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from visrec.config.ingest import ImagesConfig
from visrec.config.path_template import PathTemplate
from visrec.ingestion.files import PICTURE_ENDINGS
from visrec.ingestion.named_pictures import NamedPictures, items_of_folder, pictures_of_ids
from visrec.ingestion.picture_index import PictureIndex, split_ending
from visrec.ingestion.picture_sources import FilePicture
from visrec.ingestion.quarantine import Reason, Reject
from visrec.storage import Location

_MOST_NOTES = 5
"""Items without a picture whose nearest name is looked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderPictures:
    """Pictures by item.

    Attributes:
        of_item: Pictures of each item that has some.
        rejects: Files of an item's name beside another one that is taken.
        notes: What was looked for, and the nearest name, for some of the items without a picture.
        reading: Sentence on what the names of sub-folders were taken for; "" where there are none.
    """

    of_item: dict[str, Sequence[FilePicture]]
    rejects: list[Reject] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    reading: str = ""

    @classmethod
    def none(cls) -> "FolderPictures":
        """No picture of any item."""
        return cls(of_item={})


def pictures_of_catalogue(
    folder: Location, index: PictureIndex, config: ImagesConfig, ids: Sequence[str]
) -> FolderPictures:
    """Pictures of items whose ids are known."""
    template = PathTemplate.parse(config.path_template) if config.path_template else None
    found = pictures_of_ids(index.paths, ids) if template is None else _by_template(index, template, ids)
    missing = [item for item in dict.fromkeys(ids) if item not in found.of_item][:_MOST_NOTES]
    others = PictureIndex(found.unused or index.paths) if missing else index
    notes = {item: _note(item, folder, template, others, found.reading) for item in missing}
    return _located(folder, found, notes)


def pictures_of_folder(
    folder: Location, index: PictureIndex, config: ImagesConfig, logged_ids: Callable[[], Collection[str]]
) -> FolderPictures:
    """Items and their pictures where the folder is the catalogue."""
    if config.path_template is None:
        return _located(folder, items_of_folder(index.paths, logged_ids), {})
    template = PathTemplate.parse(config.path_template)
    ids = sorted(_ids_by_template(index.paths, template))
    return _located(folder, _by_template(index, template, ids), {})


def _by_template(index: PictureIndex, template: PathTemplate, ids: Iterable[str]) -> NamedPictures:
    path_of = {item: template.path(item) for item in ids}
    found = index.find_all(path_of.values())
    of_item = {item: [found[path]] for item, path in path_of.items() if path in found}
    used = set(found.values())
    return NamedPictures(
        of_item=of_item,
        unused=[path for path in index.paths if path not in used],
        reading=f"pictures by ingest.images.path_template: {len(of_item):,} of {len(path_of):,} items have one",
    )


def _ids_by_template(paths: Iterable[str], template: PathTemplate) -> set[str]:
    """Ids for which the template gives one of the paths: a part of the path, or all of it, without its ending."""
    ids = set()
    for path in paths:
        stem, ending = split_ending(path)
        if ending not in PICTURE_ENDINGS:
            continue
        parts = stem.split("/")
        for candidate in (parts[-1], *parts[:-1], stem):
            if split_ending(template.path(candidate))[0] == stem:
                ids.add(candidate)
                break
    return ids


def _note(
    item: str, folder: Location, template: PathTemplate | None, names: PictureIndex, reading: str
) -> str:
    name = template.path(item) if template else item
    looked = f": looked for {name!r}" + ("" if template else f" with .{', .'.join(PICTURE_ENDINGS)}")
    near = names.nearest(name)
    shown = f"the nearest name is {near}" if near else "no name is like it"
    if not near and names.paths:
        shown += f", such as {names.paths[0]}"
    return f"{looked} in {folder}; {shown}{f' ({reading})' if reading else ''}"


def _located(folder: Location, found: NamedPictures, notes: dict[str, str]) -> FolderPictures:
    return FolderPictures(
        of_item={
            item: [FilePicture(folder=folder, path=path) for path in paths]
            for item, paths in found.of_item.items()
        },
        rejects=[
            Reject(
                source="images",
                location=str(folder / path),
                reason=Reason.DUPLICATE_ITEM,
                detail=f"{taken} is taken",
            )
            for path, taken in found.dropped
        ],
        notes=notes,
        reading=found.reading,
    )
