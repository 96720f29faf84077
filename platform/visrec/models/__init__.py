"""The two towers, and the trained model ready for use."""

from visrec.data.history import History
from visrec.models.item_tower import ItemTower
from visrec.models.recommender import Recommender
from visrec.models.two_tower import TowerOutput, TwoTower
from visrec.models.user_tower import UserTower, gap_buckets

__all__ = ["History", "ItemTower", "Recommender", "TowerOutput", "TwoTower", "UserTower", "gap_buckets"]
