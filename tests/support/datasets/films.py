"""MovieLens: GroupLens has no posters, so a folder of them lies beside the tables."""

from pathlib import Path

import numpy as np
from tests.support.datasets.world import (
    NUM_ITEMS,
    NUM_USERS,
    events,
    type_name,
    write_csv,
    write_lines,
    write_pictures,
)


def _ratings(half_stars: bool) -> list[str]:
    stars = np.random.default_rng(2).integers(1, 11 if half_stars else 6, len(events()))
    return [str(s / 2) if half_stars else str(s) for s in stars]


def movielens_1m(folder: Path) -> None:
    """`::` between fields, no header lines, Latin-1."""
    rated = zip(events(), _ratings(half_stars=False), strict=True)
    write_lines(
        folder / "ratings.dat", [f"{e.user + 1}::{e.item + 1}::{stars}::{e.time}" for e, stars in rated]
    )
    titles = ["Misérables" if i % 9 == 4 else "Toy Story" for i in range(NUM_ITEMS)]
    movies = [f"{i + 1}::{title} {i} (1995)::{type_name(i)}|Drama" for i, title in enumerate(titles)]
    write_lines(folder / "movies.dat", movies, encoding="latin-1")
    users = [
        f"{u + 1}::{'FM'[u % 2]}::{(1, 18, 25, 35)[u % 4]}::{u % 21}::{48067 + u}" for u in range(NUM_USERS)
    ]
    write_lines(folder / "users.dat", users)
    write_pictures(folder / "posters", [f"{i + 1}.jpg" for i in range(NUM_ITEMS)])


def movielens_32m(folder: Path) -> None:
    """CSV with headers: ratings, movies, links, tags."""
    rated = zip(events(), _ratings(half_stars=True), strict=True)
    write_csv(
        folder / "ratings.csv",
        [(e.user + 1, e.item + 1, stars, e.time) for e, stars in rated],
        ["userId", "movieId", "rating", "timestamp"],
    )
    write_csv(
        folder / "movies.csv",
        [(i + 1, f'"Great" Performance {i}, A (1999)', f"{type_name(i)}|Drama") for i in range(NUM_ITEMS)],
        ["movieId", "title", "genres"],
    )
    write_csv(
        folder / "links.csv",
        [(i + 1, f"{114709 + i:07}", 862 + i) for i in range(NUM_ITEMS)],
        ["movieId", "imdbId", "tmdbId"],
    )
    write_csv(
        folder / "tags.csv",
        [(e.user + 1, e.item + 1, "classic", e.time + 60) for e in events()[::9]],
        ["userId", "movieId", "tag", "timestamp"],
    )
    write_lines(folder / "README.txt", ["Summary", "=======", "", "This dataset describes ratings."])
    write_pictures(folder / "posters", [f"{i + 1}.jpg" for i in range(NUM_ITEMS)])
