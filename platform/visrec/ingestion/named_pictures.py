"""Pictures that are named after their items: a file X.jpg at any depth, or a folder X; and items of a folder alone.

Where the names of sub-folders and of the files in them are both ids, or nothing says which are ids, one reading of the
whole folder is taken: that by which more ids are met.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa

from visrec.ingestion.files import PICTURE_ENDINGS
from visrec.ingestion.ids import natural_order, nfc
from visrec.ingestion.picture_index import loose, split_ending

_ENDINGS = frozenset(PICTURE_ENDINGS)


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedPictures:
    """Pictures by the names of items.

    Attributes:
        of_item: Paths of each item that has some: the file of its name first, then its folder's in natural order.
        dropped: Files of an item's name beside another one, and that which is taken.
        unused: Paths that belong to no item.
        reading: Sentence on what the names of sub-folders were taken for; "" where there are none.
    """

    of_item: dict[str, list[str]]
    dropped: list[tuple[str, str]] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    reading: str = ""


class _File(NamedTuple):
    path: str
    folder: str
    stem: str

    @property
    def preference(self) -> tuple[int, str, int, str]:
        """Of several files of an item's name the first by this is taken: the least deep, then by folder and ending."""
        ending = PICTURE_ENDINGS.index(split_ending(self.path)[1])
        return self.path.count("/"), self.folder, ending, self.path


def pictures_of_ids(paths: Iterable[str], ids: Iterable[str]) -> NamedPictures:
    """Pictures of items whose ids are known.

    A picture whose path without its ending, or whose name, is an id belongs to that item; so does one in a folder, or
    below a folder, of an item's name. Ids that meet nothing are looked for once more in another Unicode form, then in
    upper or lower case, where one id and one name fit.

    Example:
        >>> found = pictures_of_ids(["01/0108.jpg", "7.jpg", "7/2.jpg", "7/10.jpg"], ["0108", "7"])
        >>> found.of_item
        {'0108': ['01/0108.jpg'], '7': ['7.jpg', '7/2.jpg', '7/10.jpg']}
    """
    files = _picture_files(paths)
    item_of = {item: item for item in ids}
    found = _assign(files, item_of)
    missing = [item for item in item_of if item not in found.of_item]
    if missing and found.unused:
        aliases = _aliases(missing, _picture_files(found.unused), item_of)
        if aliases:
            found = _assign(files, {**item_of, **aliases})
    return found


def items_of_folder(paths: Iterable[str], logged_ids: Callable[[], Collection[str]]) -> NamedPictures:
    """Items and their pictures where the folder is the catalogue.

    Args:
        paths: Relative to the folder.
        logged_ids: Gives some ids of the log; called where there are sub-folders or names that are not in NFC.

    Example:
        >>> items_of_folder(["01/0108.jpg", "01/0109.jpg"], lambda: []).of_item
        {'0108': ['01/0108.jpg'], '0109': ['01/0109.jpg']}
        >>> items_of_folder(["i7/1.jpg", "i7/2.jpg"], lambda: []).of_item
        {'i7': ['i7/1.jpg', 'i7/2.jpg']}
    """
    files = _picture_files(paths)
    folders = {file.folder for file in files if file.folder}
    logged = frozenset(logged_ids()) if folders or any(not f.stem.isascii() for f in files) else frozenset()
    level, reading = _level(files, folders, logged)
    named: dict[str, list[_File]] = {}
    inside: dict[str, list[_File]] = {}
    for file in files:
        parts = file.folder.split("/") if file.folder else []
        if level is not None and level < len(parts):
            inside.setdefault(_as_id(parts[level], logged), []).append(file)
        else:
            named.setdefault(_as_id(file.stem, logged), []).append(file)
    of_item, dropped = _together(named, inside)
    return NamedPictures(of_item=of_item, dropped=dropped, reading=reading)


def _picture_files(paths: Iterable[str]) -> list[_File]:
    files = []
    for path in paths:
        folder, _, name = path.rpartition("/")
        stem, _, ending = name.rpartition(".")
        if (ending in _ENDINGS or ending.lower() in _ENDINGS) and stem and stem[0] != ".":
            files.append(_File(path, folder, stem))
    return files


def _assign(files: Sequence[_File], item_of: Mapping[str, str]) -> NamedPictures:
    owner = {folder: _owner(folder, item_of) for folder in {file.folder for file in files}}
    by_file, by_folder = set(), set()
    for file in files:
        if file.folder and file.stem in item_of and item_of[file.stem] != owner[file.folder]:
            by_file.add(item_of[file.stem])
        if (item := owner[file.folder]) is not None:
            by_folder.add(item)
    files_first = len(by_file) > len(by_folder)
    named: dict[str, list[_File]] = {}
    inside: dict[str, list[_File]] = {}
    unused = []
    for file in files:
        in_folder, whole = owner[file.folder], f"{file.folder}/{file.stem}"
        if whole in item_of:
            named.setdefault(item_of[whole], []).append(file)
        elif file.stem in item_of and item_of[file.stem] != in_folder and (in_folder is None or files_first):
            named.setdefault(item_of[file.stem], []).append(file)
        elif in_folder is not None:
            inside.setdefault(in_folder, []).append(file)
        else:
            unused.append(file.path)
    of_item, dropped = _together(named, inside)
    num_folders = len(owner) - ("" in owner)
    reading = (
        f"pictures in {num_folders:,} sub-folders: {len(by_file):,} items are met by the names of files, "
        f"{len(by_folder):,} by those of folders"
    )
    return NamedPictures(
        of_item=of_item, dropped=dropped, unused=unused, reading=reading if num_folders else ""
    )


def _owner(folder: str, item_of: Mapping[str, str]) -> str | None:
    """Item of the deepest part of a folder's path that is an id."""
    for part in reversed(folder.split("/")):
        if part in item_of:
            return item_of[part]
    return None


def _aliases(missing: Sequence[str], files: Sequence[_File], item_of: Mapping[str, str]) -> dict[str, str]:
    """Item of each name that differs from one missing id in nothing but its spelling."""
    names = {file.stem for file in files}.union(*(file.folder.split("/") for file in files)) - {""}
    aliases: dict[str, str] = {}
    for spelling in (nfc, loose):
        met = set(aliases.values())
        ids_of = _by_spelling((item for item in missing if item not in met), spelling)
        names_of = _by_spelling((name for name in names if name not in item_of), spelling)
        for key, ids in ids_of.items():
            if len(ids) == 1 and len(names_of.get(key, ())) == 1:
                aliases.setdefault(names_of[key][0], ids[0])
    return aliases


def _by_spelling(names: Iterable[str], spelling: Callable[[str], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(spelling(name), []).append(name)
    return found


def _level(
    files: Sequence[_File], folders: Collection[str], logged: Collection[str]
) -> tuple[int | None, str]:
    """Place in a folder's path of the part that is an item's id, None where the files' names are; and a sentence."""
    if not folders:
        return None, ""
    met_by_level: list[set[str]] = []
    for folder in folders:
        for place, part in enumerate(folder.split("/")):
            if place == len(met_by_level):
                met_by_level.append(set())
            if part in logged:
                met_by_level[place].add(part)
    by_folder = max(len(met) for met in met_by_level)
    by_file = len({file.stem for file in files if file.folder and file.stem in logged})
    shown = f"the {len(folders):,} sub-folders are taken for"
    met = f"of {len(logged):,} ids of the log {by_file:,} name a file, {by_folder:,} a folder"
    if by_file > by_folder:
        return None, f"{shown} groups of pictures named after items ({met})"
    if by_folder > by_file:
        level = next(place for place, met in enumerate(met_by_level) if len(met) == by_folder)
        return level, f"{shown} items with several pictures each ({met})"
    if all(_is_part(file) for file in files if file.folder):
        return None, f"{shown} parts of the names in them, which are the items"
    return 0, f"{shown} items with several pictures each"


def _is_part(file: _File) -> bool:
    """Whether each part of a folder's path is a part of the file's name: `01` of `0108`, but not `i7` of `i7-2`."""
    for part in file.folder.split("/"):
        rest = file.stem.removeprefix(part)
        if part not in file.stem or part == file.stem or (rest != file.stem and not rest[0].isalnum()):
            return False
    return True


def _as_id(name: str, logged: Collection[str]) -> str:
    """A name as an id: in NFC, unless the log has it as it is."""
    return name if name.isascii() or name in logged else nfc(name)


def _together(
    named: Mapping[str, list[_File]], inside: Mapping[str, list[_File]]
) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    of_item: dict[str, list[str]] = {}
    dropped = []
    for item, files in named.items():
        taken, *others = sorted(files, key=lambda file: file.preference) if len(files) > 1 else files
        of_item[item] = [taken.path]
        dropped += [(file.path, taken.path) for file in others]
    for item, files in inside.items():
        of_item.setdefault(item, []).extend(file.path for file in _in_natural_order(files))
    return of_item, dropped


def _in_natural_order(files: Sequence[_File]) -> list[_File]:
    if len(files) == 1:
        return list(files)
    by_folder: dict[str, list[_File]] = {}
    for file in files:
        by_folder.setdefault(file.folder, []).append(file)
    ordered = []
    for folder in sorted(by_folder):
        inside = by_folder[folder]
        order = natural_order(pa.array([file.stem for file in inside], pa.string()))
        ordered += [inside[k] for k in order]
    return ordered
