"""Index of the picture folder: finds the file that a name means, exactly as written or, where one fits, loosely."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from urllib.parse import unquote, urlsplit

from pyarrow import fs as pafs

from visrec.ingestion.files import KNOWN_PICTURE_ENDINGS, PICTURE_ENDINGS
from visrec.ingestion.ids import nfc
from visrec.ingestion.nearest import nearest
from visrec.storage import Location


class PictureIndex:
    """Paths of the files in the picture folder, relative to it.

    Example:
        >>> index = PictureIndex(["a/Shoe 1.JPG", "b/2.png"])
        >>> index.find("shoe%201"), index.find("b\\\\2.png"), index.find("3")
        ('a/Shoe 1.JPG', 'b/2.png', None)
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = tuple(paths)
        self._known = frozenset(self.paths)

    @classmethod
    def of(cls, folder: Location, infos: Sequence[pafs.FileInfo]) -> "PictureIndex":
        """From the listing of a folder."""
        return cls(relative_paths(folder, infos))

    def __contains__(self, path: str) -> bool:
        return path in self._known

    def find(self, name: str) -> str | None:
        """The file that a name means.

        In this order: the name itself; the name without what paths and addresses add to it (backslashes, `./`, a query,
        percent escapes); with each of `PICTURE_ENDINGS`; in another Unicode form, in upper or lower case, or with
        another ending; with fewer or more folders before it. The last two only where one file fits.
        """
        if name in self._known:
            return name
        cleaned = list(_cleaned(name))
        for text in cleaned:
            if text in self._known:
                return text
        for text in cleaned:
            for ending in PICTURE_ENDINGS:
                for written in (f"{text}.{ending}", f"{text}.{ending.upper()}"):
                    if written in self._known:
                        return written
        found = None
        for text in cleaned:
            found = found or self._find_loosely(text)
        return found

    def find_all(self, names: Iterable[str]) -> dict[str, str]:
        """The file of each name that means one. A file that several names would mean only loosely is none of theirs."""
        found = {name: path for name in dict.fromkeys(names) if (path := self.find(name)) is not None}
        wanted: dict[str, set[str]] = {}
        for name, path in found.items():
            if name != path:
                wanted.setdefault(path, set()).add(loose(_stem(list(_cleaned(name))[-1])))
        unsure = {path for path, spellings in wanted.items() if len(spellings) > 1}
        return {name: path for name, path in found.items() if name == path or path not in unsure}

    def nearest(self, name: str) -> str | None:
        """The path whose last part is most like that of a name, None where none is like it."""
        close = nearest(_stem(name).rsplit("/", 1)[-1], self._last_parts)
        return None if close is None else self._path_of[close]

    def _find_loosely(self, text: str) -> str | None:
        stem = _stem(text)
        chosen = _choose(self._by_stem.get(loose(stem), ()), text)
        if chosen is not None or loose(stem) in self._by_stem:
            return chosen
        inside = f"/{loose(stem)}"
        fitting = [
            path
            for path in self._by_name.get(inside.rsplit("/", 1)[-1], ())
            if f"/{loose(_stem(path))}".endswith(inside) or inside.endswith(f"/{loose(_stem(path))}")
        ]
        return fitting[0] if len({_stem(path) for path in fitting}) == 1 else None

    @cached_property
    def _path_of(self) -> dict[str, str]:
        return {_stem(path).rsplit("/", 1)[-1]: path for path in reversed(self.paths)}

    @cached_property
    def _last_parts(self) -> tuple[str, ...]:
        return tuple(self._path_of)

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in sorted(self.paths, key=_preference):
            found.setdefault(loose(_stem(path)), []).append(path)
        return found

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in sorted(self.paths, key=_preference):
            found.setdefault(loose(_stem(path)).rsplit("/", 1)[-1], []).append(path)
        return found


def relative_paths(folder: Location, infos: Sequence[pafs.FileInfo]) -> list[str]:
    """Paths of files below a folder, relative to it."""
    prefix = len(folder.path.rstrip("/")) + 1
    return [str(info.path)[prefix:] for info in infos]


def split_ending(path: str) -> tuple[str, str]:
    """A path without its ending, and the ending in lower case; of an unknown ending the whole path and "".

    Example:
        >>> split_ending("a/7.JPG"), split_ending("a/v1.5")
        (('a/7', 'jpg'), ('a/v1.5', ''))
    """
    stem, _, ending = path.rpartition(".")
    return (stem, ending.lower()) if ending.lower() in KNOWN_PICTURE_ENDINGS else (path, "")


def loose(name: str) -> str:
    """A name without what differs between two ways to write it: Unicode form, case, percent escapes."""
    return nfc(nfc(unquote(name) if "%" in name else name).casefold())


def _stem(path: str) -> str:
    return split_ending(path)[0]


def _preference(path: str) -> tuple[int, str]:
    ending = split_ending(path)[1]
    place = PICTURE_ENDINGS.index(ending) if ending in PICTURE_ENDINGS else len(PICTURE_ENDINGS)
    return place, path


def _cleaned(name: str) -> Iterator[str]:
    """A name without what paths and addresses add to it, step by step."""
    if name.startswith(("http://", "https://")):
        name = urlsplit(name).path
    text = name.replace("\\", "/")
    if len(text) > 2 and text[1:3] == ":/":  # a Windows drive
        text = text[3:]
    parts = [part for part in text.split("/") if part not in ("", ".")]
    text = "/".join(parts)
    yield text
    for mark in ("?", "#"):
        if mark in text:
            text = text.split(mark, 1)[0]
            yield text
    if "%" in text:
        yield unquote(text)


def _choose(fitting: Sequence[str], text: str) -> str | None:
    """The file among those with a loosely equal name: one spelling of it must fit better than all others."""
    stem = _stem(text)
    for spelling in (str, nfc, loose):
        same = [path for path in fitting if spelling(_stem(path)) == spelling(stem)]
        if same:
            return same[0] if len({_stem(path) for path in same}) == 1 else None
    return None
