"""Scorers: what an evaluation compares. The protocol that all of them follow, and the two-tower model as one."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from visrec.data.held_out import Part
from visrec.data.snapshot import Sequences
from visrec.errors import ArtifactError
from visrec.models import BlendedRecommender, History, Recommender
from visrec.models.checkpoint import Checkpoint

_BATCH_USERS = 256


class Scorer(Protocol):
    """Scores the whole catalogue for a block of users.

    Scorers are immutable: scoring changes nothing. Each has a classmethod of its own that fits or loads it; baselines
    have `fit(blocks, num_items, ...)`, where `blocks` yields the known events in blocks of users, as often as needed.
    """

    def score(self, histories: Sequences, times: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores float32 [U, I], higher is better; NaN and -inf mean "never recommended".

        Args:
            histories: Known events of U users, oldest first.
            times: Time that each recommendation is for, in milliseconds: int64 [U].
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class TwoTowerScorer:
    """The two-tower model: score(u, i) = query_u . x_i + b_i.

    Attributes:
        recommender: The model.
        vectors_ID: Its item vectors, float32 [I, D].
    """

    recommender: Recommender
    vectors_ID: NDArray[np.float32]

    @classmethod
    def load(cls, checkpoint: Checkpoint, part: Part = "test") -> "TwoTowerScorer":
        """Read a checkpoint's model and the item vectors stored with it.

        Args:
            checkpoint: The checkpoint.
            part: Part that is held out. A model that was fitted again on the validation events is taken as it was
                before, for the validation part.

        Raises:
            ArtifactError: A file is missing or damaged, or they do not fit each other.
        """
        if part == "validation":
            recommender, vectors_ID = checkpoint.before_refit()
        else:
            recommender, vectors_ID = checkpoint.recommender(), checkpoint.item_vectors
        expected = (recommender.num_items, recommender.dim)
        if vectors_ID.shape != expected:
            raise ArtifactError(
                f"expected item vectors of shape {expected} in {checkpoint.name}, got {vectors_ID.shape}"
            )
        return cls(recommender=recommender, vectors_ID=vectors_ID)

    def score(self, histories: Sequences, times: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Scorer.score`."""
        return self.scores_of(self.queries(histories, times))

    def queries(self, histories: Sequences, times: NDArray[np.int64]) -> NDArray[np.float32]:
        """User vectors float32 [U, D], for recommendations at `times`."""
        length = self.recommender.max_history
        users = [_last_events(histories, row, length) for row in range(len(histories))]
        queries = [
            self.recommender.encode_users(
                users[at : at + _BATCH_USERS], self.vectors_ID, times[at : at + _BATCH_USERS]
            )
            for at in range(0, len(users), _BATCH_USERS)
        ]
        return np.concatenate(queries)

    def scores_of(self, queries_UD: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores float32 [U, I] of the whole catalogue for some user vectors."""
        scores = queries_UD @ self.vectors_ID.T
        scores += self.recommender.item_biases
        return np.asarray(scores, np.float32)


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberScorer:
    """One member of a blend alone, or the blend without it.

    Attributes:
        blend: The blend.
        columns: Coordinates of the members that score, bool [D].
    """

    blend: TwoTowerScorer
    columns: NDArray[np.bool_]

    @classmethod
    def load(cls, checkpoint: Checkpoint, part: Part, member: str, *, left_out: bool) -> "MemberScorer":
        """Read a checkpoint of a blend.

        Args:
            checkpoint: The checkpoint.
            part: As for `TwoTowerScorer.load`.
            member: Name of the member.
            left_out: Score by the others instead.

        Raises:
            ArtifactError: A file is missing or damaged, or the model is no blend.
        """
        blend = TwoTowerScorer.load(checkpoint, part)
        if not isinstance(blend.recommender, BlendedRecommender):
            raise ArtifactError(f"expected a blend in {checkpoint.name}, got a model without members")
        columns = np.full(blend.recommender.dim, left_out)
        columns[blend.recommender.columns_of(member)] = not left_out
        return cls(blend=blend, columns=columns)

    def score(self, histories: Sequences, times: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Scorer.score`."""
        return self.blend.scores_of(self.blend.queries(histories, times) * self.columns)


def _last_events(histories: Sequences, row: int, length: int) -> History:
    end = int(histories.offsets[row + 1])
    start = max(int(histories.offsets[row]), end - length)
    return History(
        items=histories.items[start:end], kinds=histories.kinds[start:end], times=histories.times[start:end]
    )
