"""Settings of a member in closed form, chosen by validation before it is solved."""

from visrec.config import MemberConfig, TrainWorkloadConfig, TransitionsConfig
from visrec.data.snapshot import Snapshot
from visrec.training.blend.cost import num_solutions
from visrec.training.closed_form.decay import HistoryDecay
from visrec.training.closed_form.search import SettingsSearch
from visrec.training.environment import TrainEnvironment
from visrec.training.initial import training_sequences
from visrec.training.messages import SearchProgress
from visrec.training.validation import ValidationSet


def with_found_settings(
    member: MemberConfig,
    job: TrainWorkloadConfig,
    snapshot: Snapshot,
    validation: ValidationSet,
    environment: TrainEnvironment,
) -> MemberConfig:
    """The member with the best settings that a search from its own ones finds.

    Args:
        member: A member of one closed-form phase of kind `transitions`.
        job: The config of the pass over the training events.
        snapshot: The data.
        validation: The validation users.
        environment: Told of the progress.
    """
    closed_form, user = member.phases[0].closed_form, member.model.user
    assert isinstance(closed_form, TransitionsConfig)
    search = SettingsSearch(
        blocks=lambda: training_sequences(snapshot, job),
        num_items=snapshot.num_items,
        validation=validation,
        metric_name=job.training.selection_metric,
        max_length=user.max_length,
        max_solutions=num_solutions(snapshot.num_items),
        on_solution=lambda done, most: environment.progress(
            SearchProgress(member=member.name, done=done, most=most)
        ),
    )
    start = HistoryDecay(half_life=user.pooling_half_life, half_life_hours=user.pooling_half_life_hours)
    found = search.run(closed_form, start)
    user = user.replace(
        pooling_half_life=found.requests.half_life,
        pooling_half_life_hours=found.requests.half_life_hours,
        max_length=found.max_length,
    )
    return member.replace(
        model=member.model.replace(user=user),
        phases=(member.phases[0].replace(closed_form=found.closed_form),),
        search=False,
    )
