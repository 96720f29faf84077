import numpy as np

from visrec.ranking.network import Scaling


def test_mean_and_deviation_without_missing_values() -> None:
    rows = np.array([[1, 5, np.nan], [3, 5, np.nan], [np.nan, 5, np.nan]], np.float32)
    scaled = Scaling.fit(rows).apply(rows)
    assert scaled.tolist() == [[-1, 0, 0], [1, 0, 0], [0, 0, 0]]


def test_outliers_are_clipped() -> None:
    scaling = Scaling(mean_F=np.zeros(1, np.float32), std_F=np.ones(1, np.float32))
    assert scaling.apply(np.array([[1e9], [-1e9]], np.float32)).tolist() == [[4], [-4]]
