"""What users do with what they are shown.

A user comes in sessions. A session shows pages; on a page the user looks at a place with a probability that falls with
the position, and reacts to what is looked at by affinity: a click, and after it perhaps more, or a sign of dislike.
Of the places without a reaction only a sample is logged, as views, looked at or not: as real impression logs are.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import DAY_MS
from visrec.config import EVENT_KINDS, EventKind
from visrec.demo.basics import LOG_END_MS, log_start_ms, stream
from visrec.demo.designs import one_hot
from visrec.demo.shelf import PAGE_LENGTH, Shelf
from visrec.demo.tastes import affinity
from visrec.demo.world import World

EXAMINATION: Final = (0.95 / np.arange(1, PAGE_LENGTH + 1) ** 0.45).astype(np.float64)
"""Probability that each position is looked at."""
FOLLOW_UPS: Final[tuple[tuple[EventKind, float, float], ...]] = (
    ("like", 0.13, 20.0),
    ("share", 0.04, 40.0),
    ("comment", 0.04, 90.0),
    ("cart", 0.12, 60.0),
)
"""After a click: kind, probability at affinity 1 (it falls with it), typical seconds until then."""
PURCHASE_AFTER_CART: Final = 0.5
PURCHASE_SECONDS: Final = 240.0
NEGATIVE_AT_ZERO: Final = 0.13
"""Probability of a negative reaction to something looked at, at affinity 0; it falls with sqrt(affinity)."""
NEGATIVE_KINDS: Final[tuple[tuple[EventKind, float], ...]] = (
    ("skip", 0.72),
    ("dislike", 0.17),
    ("hide", 0.11),
)
VIEW_LOGGED: Final = 0.07
"""Share of the places without a reaction that the log holds."""
ROWS_PER_SESSION: Final = 6.0
"""Mean over sessions."""
MAX_PAGES: Final = 25
"""After so many a session ends, also where it has fewer rows than planned."""
MIN_ACTIVITY: Final = 0.5
"""The least active user has this share of the mean number of rows."""
ACTIVITY_SPREAD: Final = 0.6
"""Standard deviation of the logarithm of what a user does beyond that."""
LATECOMERS: Final = 0.3
"""Share of users who join while the log runs."""
CODES: Final = {kind: code for code, kind in enumerate(EVENT_KINDS)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Events:
    """Some events, as columns of equal length [N].

    Attributes:
        user: User number.
        item: Item number.
        kind: Code: place in EVENT_KINDS.
        time: Milliseconds.
        session: Number of the session of that user.
        position: Place on the page, from 0; -1 where there is none.
        number: Number of the event of that user.
    """

    user: NDArray[np.int64]
    item: NDArray[np.int64]
    kind: NDArray[np.int64]
    time: NDArray[np.int64]
    session: NDArray[np.int64]
    position: NDArray[np.int64]
    number: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.user)


class Visitor:
    """One user at the shop."""

    def __init__(self, world: World, shelf: Shelf, design_rows: NDArray[np.float32], user: int) -> None:
        self._world = world
        self._shelf = shelf
        self._design_rows = design_rows
        self._user = user
        self._random = stream(world.seed, "visitor", user)
        self._positives: dict[int, None] = {}
        self._hidden: set[int] = set()
        self._rows: list[tuple[int, int, int, int, int]] = []  # item, kind, time, session, position

    def live(self) -> NDArray[np.int64]:
        """All sessions: item, kind, time, session, position in columns, int64 [N, 5], in order of time."""
        excess = self._random.lognormal(-(ACTIVITY_SPREAD**2) / 2, ACTIVITY_SPREAD)
        activity = MIN_ACTIVITY + (1 - MIN_ACTIVITY) * excess
        num_rows = max(round(self._world.rows_per_user * activity), 1)
        starts = self._session_starts(max(round(num_rows / ROWS_PER_SESSION), 1))
        quotas = 1 + self._random.multinomial(
            max(num_rows - len(starts), 0), np.full(len(starts), 1 / len(starts))
        )
        for session, (start, quota) in enumerate(zip(starts.tolist(), quotas.tolist(), strict=True)):
            self._visit(session, start, quota)
        rows = np.array(self._rows, np.int64).reshape(-1, 5)
        return rows[np.argsort(rows[:, 2], kind="stable")]

    def _session_starts(self, num: int) -> NDArray[np.int64]:
        random, days = self._random, self._world.config.days
        first_day = random.uniform(0, 0.6 * days) if random.random() < LATECOMERS else 0.0
        # The square root makes traffic grow steadily.
        day = np.floor(first_day + (days - first_day) * np.sqrt(random.random(num)))
        # Two humps a day: around noon and, higher, in the evening.
        hour = (
            np.where(random.random(num) < 0.35, random.normal(12.5, 2.0, num), random.normal(20.0, 2.0, num))
            % 23
        )
        start = log_start_ms(days) + (day * DAY_MS + hour * DAY_MS / 24).astype(np.int64)
        return np.sort(np.minimum(start, LOG_END_MS - DAY_MS // 24))

    def _visit(self, session: int, start: int, quota: int) -> None:
        world = self._world
        worths = world.tastes.worths(np.array([self._user]), np.array([start]))[0]
        worth_D = self._design_rows @ worths
        logged: list[tuple[int, int, int, int, int]] = []
        clock = start
        for _ in range(MAX_PAGES):
            page = self._shelf.page(
                worth_D, clock, reacted=list(self._positives), hidden=self._hidden, random=self._random
            )
            rows, clock = self._look(page, worth_D, session, clock)
            logged += rows
            if len(logged) >= quota:
                break
        self._rows += logged[:quota]

    def _look(
        self, page: list[int], worth_D: NDArray[np.float32], session: int, clock: int
    ) -> tuple[list[tuple[int, int, int, int, int]], int]:
        """The rows of one page and the time at which it was left."""
        random, catalogue, num = self._random, self._world.catalogue, len(page)
        items = np.array(page, np.int64)
        wanted = affinity(worth_D[catalogue.design_of_item[items]] + catalogue.quality[items])
        dice = random.random((4, num))
        examined = dice[0] < EXAMINATION[:num]
        clicked = examined & (dice[1] < wanted)
        refused = examined & ~clicked & (dice[2] < NEGATIVE_AT_ZERO * (1 - np.sqrt(wanted)))
        viewed = ~clicked & ~refused & (dice[3] < VIEW_LOGGED)
        seconds = np.where(examined, random.lognormal(1.2, 0.5, num), 0.3)
        times = clock + np.cumsum((1000 * seconds).astype(np.int64) + 50)
        rows: list[tuple[int, int, int, int, int]] = []
        for position in np.flatnonzero(clicked | refused | viewed).tolist():
            item, time = page[position], int(times[position])
            if viewed[position]:
                rows.append((item, CODES["view"], time, session, position))
                continue
            self._hidden.add(item)
            if refused[position]:
                rows.append((item, self._refusal(), time, session, position))
                continue
            self._positives[item] = None
            rows.append((item, CODES["click"], time, session, position))
            rows += self._follow(item, float(wanted[position]), time, session, position)
        return rows, int(times[-1]) + 2000 if num else clock + 2000

    def _refusal(self) -> int:
        kinds, shares = zip(*NEGATIVE_KINDS, strict=True)
        return CODES[kinds[int(np.searchsorted(np.cumsum(shares)[:-1], self._random.random()))]]

    def _follow(
        self, item: int, wanted: float, time: int, session: int, position: int
    ) -> list[tuple[int, int, int, int, int]]:
        """What comes after a click."""
        random = self._random
        rows = []
        for kind, probability, seconds in FOLLOW_UPS:
            if random.random() >= probability * wanted:
                continue
            then = time + int(1000 * seconds * random.lognormal(0, 0.4))
            rows.append((item, CODES[kind], then, session, position))
            if kind == "cart" and random.random() < PURCHASE_AFTER_CART * wanted:
                later = then + int(1000 * PURCHASE_SECONDS * random.lognormal(0, 0.4))
                rows.append((item, CODES["purchase"], later, session, position))
        return rows


def simulate(world: World, shelf: Shelf, users: range) -> Events:
    """All events of some users, in order of user and time."""
    design_rows = one_hot(world.catalogue.designs)
    lives = [Visitor(world, shelf, design_rows, user).live() for user in users]
    lengths = np.array([len(life) for life in lives])
    columns = np.concatenate(lives).T
    number = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return Events(
        user=np.repeat(np.array(users), lengths),
        item=columns[0],
        kind=columns[1],
        time=columns[2],
        session=columns[3],
        position=columns[4],
        number=number,
    )
