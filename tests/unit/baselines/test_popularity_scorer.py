from tests.support.snapshots import HOUR_MS, sequences_of

from visrec.baselines.popularity import Popularity, RecentPopularity


def test_everybody_gets_the_counts() -> None:
    blocks = [sequences_of([[0, 1], [1]]), sequences_of([[1, 3]])]
    scorer = Popularity.fit(blocks, 5)
    histories = sequences_of([[0], [2]])
    assert scorer.score(histories, histories.times).tolist() == [[1, 3, 0, 1, 0]] * 2


def test_recent_is_up_to_the_last_known_event() -> None:
    # Events of a user are an hour apart: items 2 and 3 of the first user are at hours 2 and 3, the last known.
    blocks = [sequences_of([[0, 1, 2, 3]]), sequences_of([[2], [0, 1]])]
    scorer = RecentPopularity.fit(blocks, 4, days=1 / 24)
    assert scorer.counts_I.tolist() == [0, 0, 1, 1]
    assert RecentPopularity.fit(blocks, 4, days=1).counts_I.tolist() == [2, 2, 2, 1]
    assert HOUR_MS == 3_600_000
