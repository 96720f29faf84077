"""Ground truth on disk: the design and quality of every item, and the tastes of every user.

items.parquet   item_id, created_at (ms), quality, shape, colour, pattern, style (by name); popularity, and with
                sequences in the log companions (rows of items), where the log has another shape than the default one
users.parquet   user_id, archetype, drift (degrees a day), now, later, care (float lists)
truth.json      version, seed, counts of what was written, origin_ms, archetypes; sequence_strength and
                popularity_weight where they are not 0
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from visrec.demo.catalogue import ATTRIBUTES, item_name, user_name
from visrec.demo.tastes import Tastes
from visrec.demo.world import FORMAT_VERSION, World
from visrec.errors import ArtifactError
from visrec.storage import Location

NumberT = TypeVar("NumberT", np.float32, np.int32)


@dataclass(frozen=True, kw_only=True, slots=True)
class GroundTruth:
    """Ground truth of a generated shop, as `read_truth` returns it.

    Attributes:
        item_ids: Ids of the items [I].
        values: Attribute values of each item's design, int32 [I, 4].
        created_at: Arrival of each item in milliseconds since 1970, int64 [I].
        quality: Quality of each item in log-odds, float32 [I].
        user_ids: Ids of the users [U].
        tastes: Tastes of the users, in the same order.
        popularity_weight: Setting of the shop; qualities and tastes hold its effect already.
        sequence_strength: Setting of the shop.
        popularity: Weight of each item in the logging policy's popular source, float64 [I]; null where both settings
            are 0.
        companions: Rows of the items that go with each item, int32 [I, NUM_COMPANIONS]; null without sequences.
    """

    item_ids: list[str]
    values: NDArray[np.int32]
    created_at: NDArray[np.int64]
    quality: NDArray[np.float32]
    user_ids: list[str]
    tastes: Tastes
    popularity_weight: float = 0.0
    sequence_strength: float = 0.0
    popularity: NDArray[np.float64] | None = None
    companions: NDArray[np.int32] | None = None


def write_truth(folder: Location, world: World, counts: Mapping[str, object]) -> None:
    """Write the three files; `counts` says what was generated."""
    folder.make_dirs()
    catalogue, tastes = world.catalogue, world.tastes
    num_items, num_users = len(catalogue), len(tastes.archetype)
    values_I4 = catalogue.designs[catalogue.design_of_item]
    items = {
        "item_id": [item_name(item, num_items) for item in range(num_items)],
        "created_at": catalogue.created_at,
        "quality": catalogue.quality,
    }
    for place, (attribute, names) in enumerate(ATTRIBUTES.items()):
        items[attribute] = np.array(names)[values_I4[:, place]]
    settings = {name: getattr(world.config, name) for name in ("popularity_weight", "sequence_strength")}
    if any(settings.values()):
        items["popularity"] = catalogue.popularity
    if world.companions is not None:
        items["companions"] = _lists(world.companions)
    users = {
        "user_id": [user_name(user, num_users) for user in range(num_users)],
        "archetype": tastes.archetype,
        "drift": tastes.drift,
        "now": _lists(tastes.now),
        "later": _lists(tastes.later),
        "care": _lists(tastes.care),
    }
    _write_table(folder / "items.parquet", pa.table(items))
    _write_table(folder / "users.parquet", pa.table(users))
    facts = {
        "version": FORMAT_VERSION,
        "seed": world.seed,
        "counts": counts,
        "origin_ms": tastes.origin_ms,
        "archetypes": tastes.archetypes.tolist(),
    }
    facts |= {name: value for name, value in settings.items() if value > 0}
    (folder / "truth.json").write_text(json.dumps(facts, sort_keys=True))


def read_truth(folder: Location) -> GroundTruth:
    """Read the three files.

    Raises:
        ArtifactError: They are missing, damaged or of another version.
    """
    try:
        facts = json.loads((folder / "truth.json").read_text())
        version = facts["version"]
        if version != FORMAT_VERSION:
            raise ArtifactError(f"{folder} has truth version {version}, this release reads {FORMAT_VERSION}")
        items = pq.read_table((folder / "items.parquet").path, filesystem=folder.filesystem)
        users = pq.read_table((folder / "users.parquet").path, filesystem=folder.filesystem)
    except (FileNotFoundError, ValueError, KeyError, pa.ArrowException) as error:
        raise ArtifactError(f"expected the truth of demo data at {folder}: {error}") from None
    places = [{name: place for place, name in enumerate(names)} for names in ATTRIBUTES.values()]
    columns = [
        [known[name] for name in items.column(a).to_pylist()]
        for a, known in zip(ATTRIBUTES, places, strict=True)
    ]
    return GroundTruth(
        item_ids=items.column("item_id").to_pylist(),
        values=np.array(columns, np.int32).T,
        created_at=items.column("created_at").to_numpy(),
        quality=items.column("quality").to_numpy(),
        user_ids=users.column("user_id").to_pylist(),
        tastes=Tastes(
            archetype=users.column("archetype").to_numpy(),
            archetypes=np.array(facts["archetypes"], np.float32),
            now=_matrix(users.column("now"), np.float32),
            later=_matrix(users.column("later"), np.float32),
            care=_matrix(users.column("care"), np.float32),
            drift=users.column("drift").to_numpy(),
            origin_ms=int(facts["origin_ms"]),
        ),
        popularity_weight=float(facts.get("popularity_weight", 0)),
        sequence_strength=float(facts.get("sequence_strength", 0)),
        popularity=items.column("popularity").to_numpy() if "popularity" in items.column_names else None,
        companions=_matrix(items.column("companions"), np.int32)
        if "companions" in items.column_names
        else None,
    )


def _lists(rows: NDArray[NumberT]) -> Any:
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])


def _matrix(column: Any, kind: type[NumberT]) -> NDArray[NumberT]:
    return np.asarray(column.combine_chunks().flatten(), kind).reshape(len(column), -1)


def _write_table(location: Location, table: Any) -> None:
    pq.write_table(table, location.path, filesystem=location.filesystem)
