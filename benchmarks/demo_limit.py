"""Upper bound for models on the demo shop: a Bayesian scorer that knows the generator and the content of every
picture, but has to infer each user's taste from that user's events.

    python benchmarks/demo_limit.py --config examples/demo-towers.yaml --users 600

The oracle knows each user's taste. Here tastes are sampled from their posterior instead (Metropolis-Hastings, --chains
chains of --steps steps for each user, of which the second half is kept), given the user's positive and negative events
and the logging policy. Scores are averaged over the samples. True quality and popularity are known for items with
positives in the known events; of the others only the design is known. Drift and views are ignored. A model that has to
learn the generator from the same events cannot be expected to do better. Two scores:

    affinity            probability of a positive given that the item is examined; the oracle ranks by it
    affinity x shown    the same times the probability that the logging policy shows the item

Needs snapshot and truth of a default demo shop. Legend: U users, C chains, L events, V values, D designs, I items.
"""

import argparse
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch import Tensor

from visrec.baselines.popularity import count_items
from visrec.config import PipelineConfig, SplitConfig, load_config
from visrec.config.training import Split
from visrec.data.held_out import HeldOut, KnownEvents, hold_out, ranked_items
from visrec.data.interactions import read_negative_events
from visrec.data.snapshot import Snapshot
from visrec.demo import logging_policy, tastes
from visrec.demo.catalogue import POPULARITY_SPREAD, QUALITY_SPREAD, one_hot
from visrec.demo.oracle import OracleScorer
from visrec.demo.sessions import NEGATIVE_AT_ZERO
from visrec.demo.truth import GroundTruth, read_truth
from visrec.errors import ConfigError
from visrec.evaluation.metrics import ranking_metrics
from visrec.evaluation.ranks import rank_targets
from visrec.storage import ArtifactStore, Location

PROTOCOLS: tuple[Split, ...] = ("leave_one_out", "cold_items")
MAX_EVENTS = 64
NUM_DRAWS = 24
SIZES = torch.tensor(tastes.SIZES)


def main() -> None:
    """Measure, and print one table for each protocol."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", default="examples/demo-towers.yaml")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="key.path=value")
    parser.add_argument("--users", type=int, default=600, help="number of users, the first ones")
    parser.add_argument("--chains", type=int, default=8)
    parser.add_argument("--steps", type=int, default=5000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    job = load_config(PipelineConfig, arguments.config, arguments.overrides)
    snapshot = Snapshot.find(ArtifactStore(job.workspace))
    if snapshot.facts.input.truth is None:
        raise ConfigError(f"expected a snapshot of a demo shop, got {snapshot.name}, which has no truth")
    where = Location.parse(snapshot.facts.input.truth)
    for protocol in PROTOCOLS:
        torch.manual_seed(job.seed)
        print_limits(protocol, snapshot, where, arguments)


def print_limits(protocol: Split, snapshot: Snapshot, where: Location, arguments: argparse.Namespace) -> None:
    """Sample tastes, score, and print."""
    truth = read_truth(where)
    if truth.popularity_weight or truth.sequence_strength:
        raise ConfigError("expected demo_data.popularity_weight and sequence_strength of 0, got another one")
    split = SplitConfig(protocol=protocol)
    block = next(snapshot.sequences(split, block_users=arguments.users))
    held_out = hold_out(block, "test")
    counts_I = count_items(
        KnownEvents(artifact=snapshot.artifact, split=split, part="test"), snapshot.num_items
    )
    shop = ShopModel.of(truth, snapshot, counts_I > 0)
    ranked = ranked_items(split, snapshot.num_items, "test")
    times_U = held_out.times
    oracle_UI = OracleScorer.load(where, snapshot).score(held_out.histories, times_U)
    events = UserEvents.of(held_out, snapshot, ranked)
    scores = posterior_scores(shop, events, arguments.chains, arguments.steps)
    table = Table(
        "scorer", "NDCG@10", "share of the oracle", title=f"Test, {protocol}, {len(held_out):,} users"
    )
    reference = None
    for name, scores_UI in ({"oracle": oracle_UI} | scores).items():
        masked_UI = (scores_UI * (shop.created_I <= times_U[:, None])).astype(np.float32)
        ranks = rank_targets(masked_UI, held_out.histories, held_out.targets, candidates=ranked)
        value = float(ranking_metrics(ranks, (10,))["ndcg@10"].mean())
        reference = reference or value
        table.add_row(name, f"{value:.4f}", f"{value / reference:.0%}")
    Console(highlight=False, width=100).print(table)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopModel:
    """Known parameters of the generator and of the items.

    Attributes:
        designs_DV: Designs, one-hot.
        design_I: Design of each item.
        quality_I: Quality in log-odds; 0 where it cannot be known.
        in_design_I: Share of the item in the popularity of its design.
        always_I: Probability to be shown by a source that does not depend on taste.
        created_I: Arrival in milliseconds since 1970.
        archetypes_GV: Leanings of the archetypes.
        care_P4: All patterns of care.
        care_chance_P: Frequency of each pattern of care.
    """

    designs_DV: Tensor
    design_I: Tensor
    quality_I: Tensor
    in_design_I: Tensor
    always_I: Tensor
    created_I: NDArray[np.int64]
    archetypes_GV: Tensor
    care_P4: Tensor
    care_chance_P: Tensor

    @classmethod
    def of(cls, truth: GroundTruth, snapshot: Snapshot, known_I: NDArray[np.bool_]) -> "ShopModel":
        """From the ground truth; qualities only of known items."""
        row = {item: place for place, item in enumerate(truth.item_ids)}
        rows = [row[item] for item in snapshot.items.column("item_id").to_pylist()]
        designs_D4, design_I = np.unique(truth.values[rows], axis=0, return_inverse=True)
        quality_I = np.where(known_I, truth.quality[rows], 0)
        popularity_I = np.exp(POPULARITY_SPREAD / QUALITY_SPREAD * quality_I)
        by_design_D = np.bincount(design_I, popularity_I)
        sources = logging_policy.SOURCES
        always_I = sources["popular"] * popularity_I / popularity_I.sum()
        always_I += (sources["random"] + sources["new"]) / len(rows)
        care_P4, counts_P = np.unique(truth.tastes.care, axis=0, return_counts=True)
        return cls(
            designs_DV=torch.from_numpy(one_hot(designs_D4)),
            design_I=torch.from_numpy(design_I),
            quality_I=torch.from_numpy(quality_I).float(),
            in_design_I=torch.from_numpy(popularity_I / by_design_D[design_I]).float(),
            always_I=torch.from_numpy(always_I).float(),
            created_I=truth.created_at[rows],
            archetypes_GV=torch.from_numpy(truth.tastes.archetypes),
            care_P4=torch.from_numpy(care_P4),
            care_chance_P=torch.from_numpy(counts_P / counts_P.sum()).float(),
        )

    def shown(self, worth_ND: Tensor, items: Tensor | None = None) -> Tensor:
        """Probability that a position of a page shows each item [N, I], or each of the given items [N, L]."""
        guess_ND = (
            torch.softmax(worth_ND / logging_policy.GUESS_TEMPERATURE, -1) * logging_policy.SOURCES["taste"]
        )
        if items is None:
            return guess_ND[:, self.design_I] * self.in_design_I + self.always_I
        return guess_ND.gather(1, self.design_I[items]) * self.in_design_I[items] + self.always_I[items]


@dataclass(frozen=True, kw_only=True, slots=True)
class UserEvents:
    """The last `MAX_EVENTS` events of each user.

    Attributes:
        items_UL: Item indices; 0 where padded.
        sign_UL: 1 for a positive, -1 for a negative event, 0 where padded.
    """

    items_UL: Tensor
    sign_UL: Tensor

    @classmethod
    def of(cls, held_out: HeldOut, snapshot: Snapshot, cold: NDArray[np.int32] | None) -> "UserEvents":
        """Positives of the histories, and negative events before the first held-out one; none on cold items."""
        histories = held_out.histories
        negatives = read_negative_events(snapshot, histories)
        items = np.zeros((len(held_out), MAX_EVENTS), np.int64)
        sign = np.zeros((len(held_out), MAX_EVENTS), np.int64)
        for user, time in enumerate(held_out.times):
            liked = histories.items[histories.offsets[user] : histories.offsets[user + 1]]
            mine = slice(negatives.offsets[user], negatives.offsets[user + 1])
            keep = np.ones(mine.stop - mine.start, bool)
            if cold is None:
                keep &= negatives.times[mine] < time
            else:
                keep &= ~np.isin(negatives.items[mine], cold)
            both = np.r_[negatives.items[mine][keep], liked][-MAX_EVENTS:]
            items[user, : len(both)] = both
            sign[user, : len(both)] = np.r_[-np.ones(keep.sum()), np.ones(len(liked))][-MAX_EVENTS:]
        return cls(items_UL=torch.from_numpy(items), sign_UL=torch.from_numpy(sign))


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """Sampled taste of each user and chain: archetype [U, C], personal leanings [U, C, V], pattern of care [U, C]."""

    archetype: Tensor
    personal: Tensor
    care: Tensor

    def worths(self, shop: ShopModel) -> Tensor:
        """Log-odds of every value [U, C, V]: see `visrec.demo.tastes`."""
        share = tastes.ARCHETYPE_SHARE
        leaning = share**0.5 * shop.archetypes_GV[self.archetype] + (1 - share) ** 0.5 * self.personal
        parts = leaning.split(tastes.SIZES, -1)
        below_best = torch.cat([part - part.amax(-1, keepdim=True) for part in parts], -1)
        favour = torch.tanh(tastes.SHARPNESS * (below_best + tastes.FAVOURITE_GAP))
        return favour * shop.care_P4[self.care].repeat_interleave(SIZES, -1)


def log_likelihood(draw: Draw, shop: ShopModel, events: UserEvents) -> Tensor:
    """Log-likelihood of each user's events under each chain's taste [U, C]."""
    worth_UCV = draw.worths(shop)
    num_users, num_chains, _ = worth_UCV.shape
    worth_ND = worth_UCV.flatten(0, 1) @ shop.designs_DV.T
    items_NL = events.items_UL.repeat_interleave(num_chains, 0)
    sign_NL = events.sign_UL.repeat_interleave(num_chains, 0)
    logits_NL = worth_ND.gather(1, shop.design_I[items_NL]) + shop.quality_I[items_NL] + tastes.BIAS
    liked_NL = torch.sigmoid(logits_NL).clamp(1e-6, 1 - 1e-6)
    refused_NL = (1 - liked_NL) * NEGATIVE_AT_ZERO * (1 - liked_NL.sqrt())
    told_NL = torch.log(torch.where(sign_NL > 0, liked_NL, refused_NL) * shop.shown(worth_ND, items_NL))
    return torch.where(sign_NL != 0, told_NL, 0.0).sum(-1).view(num_users, num_chains)


def proposal(step: int, draw: Draw, shop: ShopModel) -> tuple[Draw, Tensor]:
    """Proposed taste, and the log of the factor that the acceptance ratio needs beside the likelihoods.

    Alternates between another archetype with the leanings kept, another pattern of care, a small step of all
    leanings, a large step of one attribute's leanings, and a new draw of one leaning (the last three preserve the
    prior: Neal 1999, Cotter et al. 2013).
    """
    size, none = draw.archetype.shape, torch.zeros(())
    personal, noise = draw.personal, torch.randn_like(draw.personal)
    if step % 5 == 0:
        archetype = torch.randint(len(shop.archetypes_GV), size)
        ratio = (tastes.ARCHETYPE_SHARE / (1 - tastes.ARCHETYPE_SHARE)) ** 0.5
        moved = personal + ratio * (shop.archetypes_GV[draw.archetype] - shop.archetypes_GV[archetype])
        return Draw(archetype=archetype, personal=moved, care=draw.care), 0.5 * (
            personal.square() - moved.square()
        ).sum(-1)
    if step % 5 == 1:
        care = torch.multinomial(shop.care_chance_P.expand(size[0], -1), size[1], replacement=True)
        return Draw(archetype=draw.archetype, personal=personal, care=care), none
    if step % 5 == 2:
        return Draw(
            archetype=draw.archetype, personal=(1 - 0.25**2) ** 0.5 * personal + 0.25 * noise, care=draw.care
        ), none
    if step % 5 == 3:
        attribute_V = torch.arange(len(SIZES)).repeat_interleave(SIZES)
        here = attribute_V == torch.randint(len(SIZES), (*size, 1))
        return Draw(
            archetype=draw.archetype,
            personal=torch.where(here, 0.8 * personal + 0.6 * noise, personal),
            care=draw.care,
        ), none
    here = torch.arange(personal.shape[-1]) == torch.randint(personal.shape[-1], (*size, 1))
    return Draw(archetype=draw.archetype, personal=torch.where(here, noise, personal), care=draw.care), none


def posterior_scores(
    shop: ShopModel, events: UserEvents, num_chains: int, num_steps: int
) -> dict[str, NDArray[np.float32]]:
    """Scores [U, I] by name, mean over the second half of the samples; the likelihood is tempered at first."""
    num_users = len(events.items_UL)
    size = (num_users, num_chains)
    care = torch.multinomial(shop.care_chance_P.expand(num_users, -1), num_chains, replacement=True)
    archetype = torch.randint(len(shop.archetypes_GV), size)
    draw = Draw(archetype=archetype, personal=torch.randn(*size, shop.archetypes_GV.shape[1]), care=care)
    told = log_likelihood(draw, shop, events)
    affinity_UI = torch.zeros(num_users, len(shop.design_I))
    next_UI = torch.zeros_like(affinity_UI)
    for step in range(num_steps):
        warmth = min(1.0, (step + 1) / (0.3 * num_steps))
        other, extra = proposal(step, draw, shop)
        told_other = log_likelihood(other, shop, events)
        taken = torch.log(torch.rand(size)) < warmth * (told_other - told) + extra
        draw = Draw(
            archetype=torch.where(taken, other.archetype, draw.archetype),
            personal=torch.where(taken[..., None], other.personal, draw.personal),
            care=torch.where(taken, other.care, draw.care),
        )
        told = torch.where(taken, told_other, told)
        if step >= num_steps // 2 and step % max(num_steps // 2 // NUM_DRAWS, 1) == 0:
            for user, worth_CV in enumerate(draw.worths(shop)):
                worth_CD = worth_CV @ shop.designs_DV.T
                affinity_CI = torch.sigmoid(worth_CD[:, shop.design_I] + shop.quality_I + tastes.BIAS)
                affinity_UI[user] += affinity_CI.mean(0)
                next_UI[user] += (affinity_CI * shop.shown(worth_CD)).mean(0)
    return {
        "posterior, affinity": affinity_UI.numpy(),
        "posterior, affinity x shown": next_UI.numpy(),
    }


if __name__ == "__main__":
    main()
