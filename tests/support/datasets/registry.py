"""The public data sets whose schemas `visrec init` is tried on: how to write one, and what init makes of it."""

from tests.support.datasets import exports, films, media, reviews
from tests.support.datasets.dataset import Dataset
from tests.support.datasets.shops import SHOPS

_RATINGS = {"near_duplicate_seconds": 0, "merge_seconds": 0, "bot_events_per_minute": 100_000}

DATASETS: dict[str, Dataset] = {
    **SHOPS,
    "movielens-32m": Dataset(
        write=films.movielens_32m,
        settings={
            "interactions": {
                "path": "ratings.csv",
                "columns": {"user_id": "userId", "item_id": "movieId", "time": "timestamp", "kind": None},
                "time_unit": "s",
                "default_kind": "click",
            },
            "items": {
                "path": "movies.csv",
                "columns": {"item_id": "movieId", "title": "title", "categories": "genres"},
            },
            "images": {"path": "posters"},
            "cleaning": _RATINGS,
        },
        asked=("ingest.interactions", "ingest.interactions.columns.kind"),
    ),
    "amazon-2018": Dataset(
        write=reviews.amazon_2018,
        settings={
            "interactions": {
                "path": "AMAZON_FASHION_5.json.gz",
                "columns": {
                    "user_id": "reviewerID",
                    "item_id": "asin",
                    "time": "unixReviewTime",
                    "kind": None,
                },
                "time_unit": "s",
                "default_kind": "click",
            },
            "items": {
                "path": "meta_AMAZON_FASHION.json.gz",
                "columns": {"item_id": "asin", "title": "title", "categories": "category", "price": "price"},
            },
            "images": {"path": "images"},
            "cleaning": _RATINGS,
        },
        asked=("ingest.interactions.columns.kind",),
    ),
    "amazon-2023": Dataset(
        write=reviews.amazon_2023,
        settings={
            "interactions": {
                "path": "All_Beauty.jsonl",
                "columns": {
                    "user_id": "user_id",
                    "item_id": "parent_asin",
                    "time": "timestamp",
                    "kind": None,
                },
                "time_unit": "ms",
                "default_kind": "click",
            },
            "items": {
                "path": "meta_All_Beauty.jsonl",
                "columns": {
                    "item_id": "parent_asin",
                    "title": "title",
                    "categories": "categories",
                    "price": "price",
                },
            },
            "images": {"path": "images"},
            "cleaning": _RATINGS,
        },
        asked=("ingest.interactions.columns.kind",),
    ),
    "shopify": Dataset(
        write=exports.shopify,
        settings={
            "interactions": {
                "path": "orders_export_1.csv",
                "columns": {
                    "user_id": "Email",
                    "item_id": "Lineitem sku",
                    "time": "Created at",
                    "kind": None,
                },
                "default_kind": "purchase",
            },
            "items": {
                "path": "products_export_1.csv",
                "columns": {
                    "item_id": "Variant SKU",
                    "title": "Title",
                    "categories": "Product Category",
                    "price": "Variant Price",
                    "available": "Published",
                },
                "category_separator": ">",
            },
            "images": {"path": "pictures"},
        },
    ),
    "woocommerce": Dataset(
        write=exports.woocommerce,
        settings={
            "interactions": {
                "path": "orders.csv",
                "columns": {
                    "user_id": "Email (Billing)",
                    "item_id": "SKU",
                    "time": "Order Date",
                    "kind": None,
                },
                "default_kind": "purchase",
            },
            "items": {
                "path": "wc-product-export.csv",
                "columns": {
                    "item_id": "SKU",
                    "title": "Name",
                    "categories": "Categories",
                    "price": "Regular price",
                    "available": "In stock?",
                },
                "category_separator": ",",
            },
            "images": {"path": "pictures"},
        },
    ),
    "yelp": Dataset(
        write=reviews.yelp,
        settings={
            "interactions": {
                "path": "yelp_academic_dataset_review.json",
                "columns": {
                    "user_id": "user_id",
                    "item_id": "business_id",
                    "time": "date",
                    "kind": None,
                    "event_id": "review_id",
                },
                "default_kind": "click",
            },
            "items": {
                "path": "yelp_academic_dataset_business.json",
                "columns": {
                    "item_id": "business_id",
                    "title": "name",
                    "categories": "categories",
                    "available": "is_open",
                },
                "category_separator": ",",
            },
            "images": {"path": "photos"},
            "cleaning": _RATINGS,
        },
        asked=("ingest.interactions", "ingest.interactions.columns.kind"),
    ),
    "pixelrec": Dataset(
        write=media.pixelrec,
        settings={
            "interactions": {
                "path": "Pixel200K.csv",
                "columns": {"user_id": "user_id", "item_id": "item_id", "time": "timestamp", "kind": None},
                "time_unit": "s",
                "default_kind": "click",
            },
            "items": {
                "path": "item_info.csv",
                "columns": {"item_id": "item_id", "title": "title", "categories": "tag"},
            },
            "images": {"path": "covers"},
        },
        asked=("ingest.interactions.default_kind",),
    ),
    "microlens": Dataset(
        write=media.microlens,
        settings={
            "interactions": {
                "path": "MicroLens-50k_pairs.csv",
                "columns": {"user_id": "user", "item_id": "item", "time": "timestamp", "kind": None},
                "time_unit": "ms",
                "default_kind": "click",
            },
            "items": {"path": "MicroLens-50k_titles.csv", "columns": {"item_id": "item", "title": "title"}},
            "images": {"path": "MicroLens-50k_covers"},
        },
        asked=("ingest.interactions.default_kind",),
    ),
    "movielens-1m": Dataset(
        write=films.movielens_1m,
        settings={
            "interactions": {
                "path": "ratings.dat",
                "format": "csv",
                "column_names": ["user_id", "item_id", "rating", "time"],
                "columns": {"user_id": "user_id", "item_id": "item_id", "time": "time", "kind": None},
                "time_unit": "s",
                "default_kind": "click",
            },
            "items": {
                "path": "movies.dat",
                "format": "csv",
                "column_names": ["item_id", "title", "categories"],
                "columns": {"item_id": "item_id", "title": "title", "categories": "categories"},
            },
            "images": {"path": "posters"},
            "cleaning": _RATINGS,
        },
        asked=(
            "ingest.interactions.column_names",
            "ingest.interactions.columns.kind",
            "ingest.items.column_names",
        ),
        num_unreadable=3,  # titles in Latin-1
    ),
}
