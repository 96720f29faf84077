"""The config with which ingest reads the shop."""

from typing import Any

import yaml

from visrec.config.ingest import (
    EventWeights,
    ImagesInput,
    Ingest,
    InteractionColumns,
    InteractionsInput,
    ItemColumns,
    ItemsInput,
)
from visrec.storage import Location


def ingest_config(folder: Location) -> Ingest:
    """Columns and places of a shop in `folder`, as absolute paths. A view is an impression, no wish: weight 0."""
    return Ingest(
        interactions=InteractionsInput(
            path=str(folder / "interactions.csv"),
            columns=InteractionColumns(event_id="event_id", session_id="session_id", position="position"),
        ),
        items=ItemsInput(
            path=str(folder / "items.csv"),
            columns=ItemColumns(
                image="image", title="title", categories="categories", price="price", created_at="created_at"
            ),
        ),
        images=ImagesInput(path=str(folder / "images")),
        events=EventWeights(weights={"view": 0.0}),
    )


def ingest_yaml(folder: Location, workspace: Location) -> str:
    """The same as YAML, for `visrec ingest --config`, with the workspace that the shop lies in."""
    values: dict[str, Any] = {
        "workspace": str(workspace),
        "ingest": ingest_config(folder).model_dump(mode="json", exclude_unset=True),
    }
    return yaml.safe_dump(values, sort_keys=False)
