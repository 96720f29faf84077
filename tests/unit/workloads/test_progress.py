"""Progress of a training in the terminal: each epoch is one line, once; the board keeps the latest update."""

import io

from rich.console import Console

from visrec.models.epochs import EpochRecord
from visrec.training.messages import CachingStarted, StepProgress, ValidationStarted
from visrec.workloads.progress import ProgressBoard, TrainingProgress

EPOCH = EpochRecord(
    phase="main",
    epoch=3,
    loss=2.5,
    images_per_second=1234.0,
    sequences_per_second=56.0,
    seconds=7.25,
    metrics={"ndcg@10": 0.125, "hr@10": 0.5, "auc": 0.75},
    trained_parameters=10,
)
STEP = StepProgress(
    phase="main",
    epoch=4,
    num_epochs=9,
    step=5,
    num_steps=50,
    loss=2.0,
    images_per_second=1000.0,
    sequences_per_second=50.0,
)


def test_the_board_gives_each_epoch_once_and_the_latest_update_as_often_as_asked() -> None:
    board = ProgressBoard()
    assert board.read() == (None, [])
    for update in (STEP, EPOCH, ValidationStarted(phase="main", epoch=4)):
        board.tell(update)
    assert board.read() == (ValidationStarted(phase="main", epoch=4), [EPOCH])
    assert board.read() == (ValidationStarted(phase="main", epoch=4), [])


def test_an_epoch_is_one_line_with_the_headline_metrics() -> None:
    out = io.StringIO()
    with TrainingProgress(Console(file=out, width=200)) as progress:
        for update in (CachingStarted(num_blocks=2), STEP, ValidationStarted(phase="main", epoch=4), None):
            progress.show(update, [EPOCH] if update is STEP else [])
    assert out.getvalue().split() == [
        *("main", "epoch", "3", "loss", "2.5000", "ndcg@10", "0.1250", "auc", "0.7500"),
        *("1,234", "images/s", "56", "sequences/s", "7.2", "s"),
    ]
