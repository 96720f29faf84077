"""What the users get to see when pictures have changed."""

import numpy as np
from numpy.typing import NDArray

from visrec.evaluation.measure import PerUser, block_users
from visrec.evaluation.plan import EvaluationPlan
from visrec.evaluation.ranking_metrics import metrics_at
from visrec.evaluation.ranks import rank_targets
from visrec.evaluation.robustness.scene import Scene
from visrec.evaluation.scorers.scorer import Scorer
from visrec.evaluation.top_lists import top_lists


def effects(scorer: Scorer, scene: Scene, plan: EvaluationPlan) -> PerUser:
    """Of each user: name -> float64 [U].

        ndcg@k       of the held-out items
        exposure@k   share of the k places of the user's list that the attacked items take
        reach@k      1 where the list holds an attacked item

    where k is `evaluation.list_size`. Users' own vectors follow the changed pictures too, where an attacked item is in
    their history.
    """
    k = plan.config.list_size
    set_valued = plan.split.protocol != "leave_one_out"
    columns: dict[str, list[NDArray[np.float64]]] = {f"ndcg@{k}": [], f"exposure@{k}": [], f"reach@{k}": []}
    step = block_users(int(plan.snapshot.manifest.counts["num_items"]))
    for start in range(0, len(scene.users), step):
        rows = np.arange(start, min(start + step, len(scene.users)))
        seen, held_out = scene.users.histories.take(rows), scene.users.targets.take(rows)
        scores_BI = scorer.score(seen, held_out.times[held_out.offsets[:-1]])
        ranks = rank_targets(scores_BI, seen, held_out, candidates=scene.candidates, set_valued=set_valued)
        lists = top_lists(scores_BI, seen, k, candidates=scene.candidates)
        attacked = np.isin(lists, scene.targets_T)
        columns[f"ndcg@{k}"].append(metrics_at(ranks, k)[f"ndcg@{k}"])
        columns[f"exposure@{k}"].append(np.asarray(attacked.sum(axis=1) / k, np.float64))
        columns[f"reach@{k}"].append(np.asarray(attacked.any(axis=1), np.float64))
    return {name: np.concatenate(parts) for name, parts in columns.items()}
