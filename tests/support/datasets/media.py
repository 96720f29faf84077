"""Data sets made for pictures: PixelRec, MicroLens."""

from pathlib import Path

from tests.support.datasets.world import (
    NUM_ITEMS,
    NUM_USERS,
    events,
    type_name,
    write_csv,
    write_lines,
    write_pictures,
)


def pixelrec(folder: Path) -> None:
    """A log in order item, user, time, item information, covers."""
    write_csv(
        folder / "Pixel200K.csv",
        [(f"v{100 + e.item}", f"u{e.user}", e.time) for e in events()],
        ["item_id", "user_id", "timestamp"],
    )
    counts = ["view_number", "comment_number", "thumbup_number", "share_number", "coin_number"]
    counts += ["favorite_number", "barrage_number"]
    write_csv(
        folder / "item_info.csv",
        [
            (f"v{100 + i}", *[1000 + i] * 7, f"video, {i}", type_name(i), "a longer\ndescription")
            for i in range(NUM_ITEMS)
        ],
        ["item_id", *counts, "title", "tag", "description"],
    )
    write_pictures(folder / "covers", [f"v{100 + i}.jpg" for i in range(NUM_ITEMS)])


def microlens(folder: Path) -> None:
    """Pairs in milliseconds, the same as sequences, titles, covers."""
    name = "MicroLens-50k"
    write_csv(
        folder / f"{name}_pairs.csv",
        [(e.user + 1, e.item + 1, e.time * 1000 + 552) for e in events()],
        ["user", "item", "timestamp"],
    )
    sequences: dict[int, list[str]] = {u: [] for u in range(NUM_USERS)}
    for e in events():
        sequences[e.user].append(str(e.item + 1))
    write_lines(folder / f"{name}_pairs.tsv", [f"{u + 1}\t{' '.join(s)}" for u, s in sequences.items()])
    write_csv(
        folder / f"{name}_titles.csv",
        [(i + 1, f"{type_name(i)}, part {i} #short") for i in range(NUM_ITEMS)],
        ["item", "title"],
    )
    write_pictures(folder / f"{name}_covers", [f"{i + 1}.jpg" for i in range(NUM_ITEMS)])
