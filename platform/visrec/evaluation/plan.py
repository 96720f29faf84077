"""What an evaluation will do: which split, which part, which scorers, and why some are left out."""

from dataclasses import dataclass

from visrec.arrays import unit_vectors
from visrec.baselines.item_item import Ease, ItemKnn
from visrec.baselines.popularity import Popularity, RecentPopularity
from visrec.config import EvaluationConfig, SplitConfig
from visrec.data.held_out import KnownEvents, ranked_items
from visrec.data.snapshot import Snapshot, SnapshotFacts
from visrec.errors import ConfigError
from visrec.evaluation.beyond_accuracy import category_matrix, self_information
from visrec.evaluation.groups import popularity_groups
from visrec.evaluation.measure import EvaluationContext
from visrec.evaluation.pairs import sample_users
from visrec.evaluation.scorers import Scorer
from visrec.models.checkpoint import Checkpoint
from visrec.storage import Artifact, Location

MODEL, RANKED = "model", "ranked"
"""Names of the model, and of the model with its ranker, among the scorers; the others are called as in
`EvaluationConfig.baselines`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationPlan:
    """Small and whole: any process can fit any scorer from it.

    Attributes:
        checkpoint: The model to measure.
        snapshot: The data that it was trained on.
        split: The split that it was trained on.
        config: What to measure.
        truth: Folder of the truth, where there is one.
        left_out: Baselines that are not run, and why.
        ranker: The learned second stage, where there is one.
    """

    checkpoint: Checkpoint
    snapshot: Artifact
    split: SplitConfig
    config: EvaluationConfig
    truth: Location | None
    left_out: dict[str, str]
    ranker: Artifact | None = None

    @property
    def scorer_names(self) -> tuple[str, ...]:
        """The model first, then the model with its ranker, then the baselines that are run."""
        ours = (MODEL,) if self.ranker is None else (MODEL, RANKED)
        return (*ours, *(name for name in self.config.baselines if name not in self.left_out))

    @property
    def known_events(self) -> KnownEvents:
        """What the baselines are fitted on."""
        return KnownEvents(artifact=self.snapshot, split=self.split, part=self.config.part)


def plan_evaluation(
    checkpoint: Checkpoint, snapshot: Artifact, config: EvaluationConfig, ranker: Artifact | None = None
) -> EvaluationPlan:
    """Look at what there is and decide.

    Raises:
        ConfigError: The part to test is one that the model was trained on.
    """
    split = checkpoint.split
    if config.part == "validation" and split.fit_on == "train_and_validation":
        raise ConfigError(
            "evaluation.part: expected 'test', since the checkpoint was trained on validation as well, got 'validation'"
        )
    truth = _truth(snapshot, config)
    left_out = {}
    if "oracle" in config.baselines and truth is None:
        left_out["oracle"] = (
            "the truth is known for generated data only, and there is none beside this snapshot's input"
        )
    num_items = int(snapshot.manifest.counts["num_items"])
    if "ease" in config.baselines and num_items > config.max_ease_items:
        left_out["ease"] = (
            f"the catalogue has {num_items:,} items, and EASE inverts an items x items matrix; "
            f"evaluation.max_ease_items is {config.max_ease_items:,}"
        )
    return EvaluationPlan(
        checkpoint=checkpoint,
        snapshot=snapshot,
        split=split,
        config=config,
        truth=truth,
        left_out=left_out,
        ranker=ranker,
    )


def fit_scorer(plan: EvaluationPlan, name: str) -> Scorer:
    """Fit or load one scorer by its name."""
    # Imported where they are used: torch takes seconds to import, and a process that fits a baseline needs none of it.
    blocks, config = plan.known_events, plan.config
    num_items = int(plan.snapshot.manifest.counts["num_items"])
    match name:
        case "model":
            from visrec.evaluation.scorers import TwoTowerScorer

            return TwoTowerScorer.load(plan.checkpoint)
        case "ranked":
            from visrec.ranking.scorer import RankedScorer

            assert plan.ranker is not None
            return RankedScorer.load(plan.ranker, plan.checkpoint, plan.snapshot, plan.split, config.part)
        case "popularity":
            return Popularity.fit(blocks, num_items)
        case "recent_popularity":
            return RecentPopularity.fit(blocks, num_items, days=config.recent_days)
        case "item_knn":
            return ItemKnn.fit(blocks, num_items, num_neighbours=config.knn_neighbours)
        case "ease":
            return Ease.fit(blocks, num_items, regularisation=config.ease_regularisation)
        case "oracle":
            from visrec.demo.oracle import OracleScorer

            assert plan.truth is not None
            return OracleScorer.load(plan.truth, Snapshot(plan.snapshot))
    raise ValueError(f"expected one of {', '.join(plan.scorer_names)}, got {name!r}")


def make_evaluation_context(plan: EvaluationPlan, seed: int) -> EvaluationContext:
    """Popularity, vectors, categories and drawn users, from which all scorers are measured alike."""
    snapshot, config = Snapshot(plan.snapshot), plan.config
    counts = Popularity.fit(plan.known_events, snapshot.num_items).counts
    candidates = ranked_items(plan.split, snapshot.num_items, config.part)
    num_candidates = snapshot.num_items if candidates is None else len(candidates)
    return EvaluationContext(
        part=config.part,
        ks=config.cutoffs,
        list_size=config.list_size,
        candidates=candidates,
        set_valued=plan.split.protocol != "leave_one_out",
        bits_I=self_information(counts, snapshot.num_users),
        item_group_I=popularity_groups(counts),
        unit_vectors_ID=unit_vectors(plan.checkpoint.item_vectors),
        categories_IC=category_matrix(snapshot.items.column("categories").to_pylist()),
        pair_users_U=sample_users(snapshot.num_users, num_candidates, config.max_pairs, seed),
    )


def _truth(snapshot: Artifact, config: EvaluationConfig) -> Location | None:
    if config.truth is not None:
        return Location.parse(config.truth)
    uri = SnapshotFacts.of(snapshot.manifest).truth
    if not uri:
        return None
    location = Location.parse(uri)
    return location if location.exists() else None
