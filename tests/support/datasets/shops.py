"""Public logs of shops: their schemas, and what `visrec init` makes of them."""

from tests.support.datasets import clicks
from tests.support.datasets.dataset import NUM_EVENTS, Dataset

SHOPS: dict[str, Dataset] = {
    "rees46": Dataset(
        write=clicks.rees46,
        settings={
            "interactions": {
                "path": "2019-*.csv",
                "columns": {
                    "user_id": "user_id",
                    "item_id": "product_id",
                    "time": "event_time",
                    "kind": "event_type",
                    "session_id": "user_session",
                },
                "kind_names": {"remove_from_cart": "skip"},
            },
            "images": {"path": "images"},
        },
        asked=("ingest.interactions.kind_names.remove_from_cart",),
    ),
    "hm": Dataset(
        write=clicks.hm,
        settings={
            "interactions": {
                "path": "transactions_train.csv",
                "columns": {"user_id": "customer_id", "item_id": "article_id", "time": "t_dat", "kind": None},
                "default_kind": "purchase",
            },
            "items": {
                "path": "articles.csv",
                "columns": {
                    "item_id": "article_id",
                    "title": "prod_name",
                    "categories": "product_type_name",
                },
            },
            "images": {"path": "images"},
        },
    ),
    "retailrocket": Dataset(
        write=clicks.retailrocket,
        settings={
            "interactions": {
                "path": "events.csv",
                "columns": {
                    "user_id": "visitorid",
                    "item_id": "itemid",
                    "time": "timestamp",
                    "kind": "event",
                },
                "time_unit": "ms",
                "kind_names": {"addtocart": "cart", "transaction": "purchase"},
            },
            "items": {
                "path": "item_properties_part*.csv",
                "properties": {"property": "property", "value": "value", "time": "timestamp"},
                "columns": {"item_id": "itemid", "categories": "categoryid", "available": "available"},
            },
            "images": {"path": "images"},
        },
    ),
    "taobao": Dataset(
        write=clicks.taobao,
        settings={
            "interactions": {
                "path": "UserBehavior.csv",
                "column_names": ["user_id", "item_id", "column_3", "kind", "time"],
                "columns": {"user_id": "user_id", "item_id": "item_id", "time": "time", "kind": "kind"},
                "time_unit": "s",
                "kind_names": {"pv": "view", "fav": "like", "buy": "purchase"},
            },
            "images": {"path": "images"},
        },
        asked=("ingest.interactions.column_names",),
    ),
    "yoochoose": Dataset(
        write=clicks.yoochoose,
        settings={
            "interactions": [
                {
                    "path": "yoochoose-buys.dat",
                    "format": "csv",
                    "column_names": ["user_id", "time", "item_id", "column_4", "column_5"],
                    "columns": {"user_id": "user_id", "item_id": "item_id", "time": "time", "kind": None},
                    "default_kind": "purchase",
                },
                {
                    "path": "yoochoose-clicks.dat",
                    "format": "csv",
                    "column_names": ["user_id", "time", "item_id", "column_4"],
                    "columns": {"user_id": "user_id", "item_id": "item_id", "time": "time", "kind": None},
                    "default_kind": "click",
                },
            ],
            "images": {"path": "images"},
        },
        asked=(
            "ingest.interactions",
            "ingest.interactions.0.column_names",
            "ingest.interactions.1.column_names",
        ),
        num_events=NUM_EVENTS + NUM_EVENTS // 4,
        num_merged=NUM_EVENTS // 4,  # a purchase and the click before it are one visit
    ),
}
