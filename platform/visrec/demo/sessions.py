"""Click model: what users do with the pages that they are shown.

A user comes in sessions of several pages. A position of a page is examined with a probability that falls with the
position (position bias). An examined item is clicked with the probability of the user's affinity; after a click other
positive events may follow, without one a negative reaction may. Of the items without a reaction only a sample is
logged, as views, examined or not, as in real impression logs.

With `demo_data.sequence_strength` a click may lead on to a companion of the clicked item, which has no position.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from visrec.arrays import DAY_MS
from visrec.config import EVENT_KINDS, EventKind
from visrec.demo.catalogue import one_hot
from visrec.demo.companions import companion_chances
from visrec.demo.determinism import LOG_END_MS, log_start_ms, stream
from visrec.demo.logging_policy import PAGE_LENGTH, LoggingPolicy
from visrec.demo.tastes import affinity
from visrec.demo.world import World

EXAMINATION: Final = (0.95 / np.arange(1, PAGE_LENGTH + 1) ** 0.45).astype(np.float64)
"""Probability that each position is examined."""
FOLLOW_UPS: Final[tuple[tuple[EventKind, float, float], ...]] = (
    ("like", 0.13, 20.0),
    ("share", 0.04, 40.0),
    ("comment", 0.04, 90.0),
    ("cart", 0.12, 60.0),
)
"""Events after a click: kind, probability at affinity 1 (proportional to affinity), typical seconds until then."""
PURCHASE_AFTER_CART: Final = 0.5
PURCHASE_SECONDS: Final = 240.0
NEGATIVE_AT_ZERO: Final = 0.13
"""Probability of a negative reaction to an examined item at affinity 0; it falls with sqrt(affinity)."""
NEGATIVE_REACTIONS: Final[tuple[tuple[EventKind, float], ...]] = (
    ("skip", 0.72),
    ("dislike", 0.17),
    ("hide", 0.11),
)
VIEW_LOGGED: Final = 0.07
"""Share of the shown items without a reaction that are logged."""
ROWS_PER_SESSION: Final = 6.0
"""Mean number of rows of a session."""
MAX_PAGES: Final = 25
"""Most pages of a session, even if it has fewer rows than planned."""
MIN_ACTIVITY: Final = 0.5
"""Rows of the least active user, as a share of the mean."""
ACTIVITY_SPREAD: Final = 0.6
"""Standard deviation of the logarithm of a user's further activity."""
LATECOMERS: Final = 0.3
"""Share of the users that join during the log."""
COMPANION_SECONDS: Final = 12.0
"""Typical seconds until the click on a companion, after all events on the item before it."""
KIND_CODES: Final = {kind: code for code, kind in enumerate(EVENT_KINDS)}


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopEvents:
    """Events as columns [N].

    Attributes:
        user: Index of the user.
        item: Index of the item.
        kind: Code of the event kind, its place in EVENT_KINDS.
        time: Milliseconds since 1970.
        session: Number of the session within the user's sessions.
        position: Position on the page, from 0; -1 where there is none.
        number: Number of the event within the user's events.
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


_Row = tuple[int, int, int, int, int]
"""Item, kind, time, session, position."""


class SimulatedUser:
    """Simulates the sessions of one user."""

    def __init__(
        self, world: World, policy: LoggingPolicy, design_rows: NDArray[np.float32], user: int
    ) -> None:
        self._world = world
        self._policy = policy
        self._design_rows = design_rows
        self._user = user
        self._random = stream(world.seed, "visitor", user)
        self._walk_random = stream(world.seed, "walk", user)
        self._positives: dict[int, None] = {}
        self._hidden: set[int] = set()
        self._rows: list[_Row] = []
        self._cut_off: int | None = None  # companion whose click the end of the last session cut off

    def simulate(self) -> NDArray[np.int64]:
        """Events of all sessions in order of time; columns item, kind, time, session, position: int64 [N, 5]."""
        excess = self._random.lognormal(-(ACTIVITY_SPREAD**2) / 2, ACTIVITY_SPREAD)
        activity = MIN_ACTIVITY + (1 - MIN_ACTIVITY) * excess
        num_rows = max(round(self._world.rows_per_user * activity), 1)
        starts = self._session_starts(max(round(num_rows / ROWS_PER_SESSION), 1))
        quotas = 1 + self._random.multinomial(
            max(num_rows - len(starts), 0), np.full(len(starts), 1 / len(starts))
        )
        for session, (start, quota) in enumerate(zip(starts.tolist(), quotas.tolist(), strict=True)):
            self._simulate_session(session, start, quota)
        rows = np.array(self._rows, np.int64).reshape(-1, 5)
        return rows[np.argsort(rows[:, 2], kind="stable")]

    def _session_starts(self, num: int) -> NDArray[np.int64]:
        random, days = self._random, self._world.config.days
        first_day = random.uniform(0, 0.6 * days) if random.random() < LATECOMERS else 0.0
        # The square root makes traffic grow linearly over the days.
        day = np.floor(first_day + (days - first_day) * np.sqrt(random.random(num)))
        # Two peaks a day: around noon and, higher, in the evening.
        hour = (
            np.where(random.random(num) < 0.35, random.normal(12.5, 2.0, num), random.normal(20.0, 2.0, num))
            % 23
        )
        start = log_start_ms(days) + (day * DAY_MS + hour * DAY_MS / 24).astype(np.int64)
        return np.sort(np.minimum(start, LOG_END_MS - DAY_MS // 24))

    def _simulate_session(self, session: int, start: int, quota: int) -> None:
        world = self._world
        worths = world.tastes.worths(np.array([self._user]), np.array([start]))[0]
        worth_D = self._design_rows @ worths
        logged: list[_Row] = []
        clock = start
        if self._cut_off is not None:
            logged = self._click(self._cut_off, self._affinity(self._cut_off, worth_D), clock, session, -1)
            logged += self._walk(logged, worth_D, session)
            clock = _end(logged) + 2000
        for _ in range(MAX_PAGES):
            if len(logged) >= quota:
                break
            page = self._policy.page(
                worth_D, clock, reacted=list(self._positives), hidden=self._hidden, random=self._random
            )
            rows, clock = self._simulate_page(page, worth_D, session, clock)
            logged += rows
        self._rows += logged[:quota]
        clicks = [row for row in logged[quota:] if row[1] == KIND_CODES["click"]]
        self._cut_off = clicks[0][0] if clicks and clicks[0][4] < 0 else None

    def _simulate_page(
        self, page: list[int], worth_D: NDArray[np.float32], session: int, clock: int
    ) -> tuple[list[_Row], int]:
        """The rows of one page, and the time at which the user leaves it."""
        random, catalogue, num = self._random, self._world.catalogue, len(page)
        items = np.array(page, np.int64)
        click_probability = affinity(worth_D[catalogue.design_of_item[items]] + catalogue.quality[items])
        dice = random.random((4, num))
        examined = dice[0] < EXAMINATION[:num]
        clicked = examined & (dice[1] < click_probability)
        disliked = examined & ~clicked & (dice[2] < NEGATIVE_AT_ZERO * (1 - np.sqrt(click_probability)))
        viewed = ~clicked & ~disliked & (dice[3] < VIEW_LOGGED)
        seconds = np.where(examined, random.lognormal(1.2, 0.5, num), 0.3)
        times = clock + np.cumsum((1000 * seconds).astype(np.int64) + 50)
        rows: list[_Row] = []
        delay, walked = 0, set[int]()
        for position in np.flatnonzero(clicked | disliked | viewed).tolist():
            item, time = page[position], int(times[position]) + delay
            if item in walked:
                continue
            if viewed[position]:
                rows.append((item, KIND_CODES["view"], time, session, position))
                continue
            if disliked[position]:
                self._hidden.add(item)
                rows.append((item, self._negative_reaction(), time, session, position))
                continue
            click = self._click(item, float(click_probability[position]), time, session, position)
            walk = self._walk(click, worth_D, session)
            if walk:
                delay += _end(walk) - time
                walked |= {row[0] for row in walk}
            rows += click + walk
        return rows, int(times[-1]) + delay + 2000 if num else clock + 2000

    def _click(
        self, item: int, click_probability: float, time: int, session: int, position: int
    ) -> list[_Row]:
        """The rows of a click and of the events that follow it on the same item."""
        self._hidden.add(item)
        self._positives[item] = None
        click = (item, KIND_CODES["click"], time, session, position)
        return [click, *self._follow_ups(item, click_probability, time, session, position)]

    def _walk(self, click: list[_Row], worth_D: NDArray[np.float32], session: int) -> list[_Row]:
        """The rows of the companions that are clicked after a click, one after the other."""
        random, rows = self._walk_random, list[_Row]()
        while random.random() < self._world.config.sequence_strength:
            seconds = COMPANION_SECONDS * random.lognormal(0, 0.4)
            time = _end(click) + int(1000 * seconds)
            companion = self._companion_of(click[0][0], time)
            if companion is None or time > LOG_END_MS - DAY_MS // 48:
                break
            click = self._click(companion, self._affinity(companion, worth_D), time, session, -1)
            rows += click
        return rows

    def _companion_of(self, item: int, time: int) -> int | None:
        """The companion of an item that is clicked next, of those in stock without a reaction; null: there is none."""
        if self._world.companions is None:
            return None
        companions, created = self._world.companions[item], self._world.catalogue.created_at
        fresh = np.array([companion not in self._hidden for companion in companions.tolist()])
        chances = companion_chances(fresh & (created[companions] <= time))
        if not chances.any():
            return None
        return int(self._walk_random.choice(companions, p=chances))

    def _affinity(self, item: int, worth_D: NDArray[np.float32]) -> float:
        catalogue = self._world.catalogue
        return float(affinity(worth_D[catalogue.design_of_item[item]] + catalogue.quality[item]))

    def _negative_reaction(self) -> int:
        kinds, shares = zip(*NEGATIVE_REACTIONS, strict=True)
        return KIND_CODES[kinds[int(np.searchsorted(np.cumsum(shares)[:-1], self._random.random()))]]

    def _follow_ups(
        self, item: int, click_probability: float, time: int, session: int, position: int
    ) -> list[_Row]:
        """Rows of the events that follow a click."""
        random = self._random
        rows = []
        for kind, probability, seconds in FOLLOW_UPS:
            if random.random() >= probability * click_probability:
                continue
            then = time + int(1000 * seconds * random.lognormal(0, 0.4))
            rows.append((item, KIND_CODES[kind], then, session, position))
            if kind == "cart" and random.random() < PURCHASE_AFTER_CART * click_probability:
                later = then + int(1000 * PURCHASE_SECONDS * random.lognormal(0, 0.4))
                rows.append((item, KIND_CODES["purchase"], later, session, position))
        return rows


def _end(rows: list[_Row]) -> int:
    """Time of the last of these rows."""
    return max(row[2] for row in rows)


def simulate(world: World, policy: LoggingPolicy, users: range) -> ShopEvents:
    """All events of a range of users, in order of user and time."""
    design_rows = one_hot(world.catalogue.designs)
    sessions = [SimulatedUser(world, policy, design_rows, user).simulate() for user in users]
    lengths = np.array([len(rows) for rows in sessions])
    columns = np.concatenate(sessions).T
    number = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return ShopEvents(
        user=np.repeat(np.array(users), lengths),
        item=columns[0],
        kind=columns[1],
        time=columns[2],
        session=columns[3],
        position=columns[4],
        number=number,
    )
