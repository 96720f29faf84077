"""The two-tower model: item tower, user tower, and trained recommenders with numpy in and numpy out."""

from visrec.data.history import History
from visrec.models.blend import BlendedRecommender, BlendMember, load_recommender
from visrec.models.item_tower import ItemTower
from visrec.models.recommender import Recommender
from visrec.models.two_tower import TowerOutput, TwoTower
from visrec.models.two_tower_recommender import TwoTowerRecommender
from visrec.models.user_tower import UserTower, time_buckets

__all__ = [
    "BlendMember",
    "BlendedRecommender",
    "History",
    "ItemTower",
    "Recommender",
    "TowerOutput",
    "TwoTower",
    "TwoTowerRecommender",
    "UserTower",
    "load_recommender",
    "time_buckets",
]
