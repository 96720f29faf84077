"""The two-tower model: item tower, user tower, and a trained recommender with numpy in and numpy out."""

from visrec.data.history import History
from visrec.models.item_tower import ItemTower
from visrec.models.recommender import Recommender
from visrec.models.two_tower import TowerOutput, TwoTower
from visrec.models.user_tower import UserTower, time_buckets

__all__ = ["History", "ItemTower", "Recommender", "TowerOutput", "TwoTower", "UserTower", "time_buckets"]
