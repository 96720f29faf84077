"""Questions about what a preview shows: rows that ingest would reject, items that do not meet."""

from collections.abc import Iterator

from visrec.config.ingest import IngestConfig
from visrec.inspection.preview import Preview
from visrec.inspection.readings import Question

_LIMIT = "ingest.cleaning.max_rejected_share"


def ask_of_preview(preview: Preview, config: IngestConfig) -> Iterator[Question]:
    """Questions about rows that ingest rejects in such numbers that it would stop."""
    limit = config.cleaning.max_rejected_share
    if not preview.num_rows or preview.num_rows - preview.num_usable <= limit * preview.num_rows:
        return
    share = 1 - preview.num_usable / preview.num_rows
    yield Question(
        key=_LIMIT,
        text=f"{share:.0%} of the log's rows cannot be used, and ingest stops at more than {limit:.0%}: "
        f"{_reasons(preview)}. Is that as it should be?",
        answers=(f"--set {_LIMIT}={min(1.0, round(share + 0.1, 1))}",),
        taken=None,
    )


def _reasons(preview: Preview) -> str:
    reasons = [f"{name} {count:,} (e.g. {example})" for name, (count, example) in preview.reasons.items()]
    unknown = preview.num_valid - preview.num_known
    if unknown and preview.unknown_item:
        item, known = preview.unknown_item
        reasons.append(
            f"item not in the catalogue {unknown:,} (e.g. {item!r}; the catalogue has {preview.num_items:,} items, "
            f"such as {known!r})"
        )
    without = preview.num_known - preview.num_usable
    if without:
        reasons.append(f"item without a picture {without:,}")
    return ", ".join(reasons)
