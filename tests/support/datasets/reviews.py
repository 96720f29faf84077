"""Reviews: Amazon 2018 and 2023, Yelp."""

from pathlib import Path

from tests.support.datasets.world import (
    NUM_ITEMS,
    events,
    type_name,
    write_json_lines,
    write_pictures,
)


def _asin(item: int) -> str:
    return f"B00{item * 7919:07}"


def amazon_2018(folder: Path) -> None:
    """Gzipped JSON lines; the metadata has addresses of pictures, a folder has them by ASIN."""
    write_json_lines(
        folder / "AMAZON_FASHION_5.json.gz",
        (
            {
                "overall": float(1 + (e.user + e.item) % 5),
                "verified": True,
                "reviewTime": e.moment("%m %-d, %Y"),
                "reviewerID": f"A{e.user * 104729:010X}",
                "asin": _asin(e.item),
                "style": {"Size:": " 9"},
                "reviewerName": f"Jane {e.user}",
                "reviewText": "Great product.",
                "summary": "Five Stars",
                "unixReviewTime": e.time // 86_400 * 86_400,
            }
            for e in events()
        ),
    )
    write_json_lines(
        folder / "meta_AMAZON_FASHION.json.gz",
        (
            {
                "title": f"{type_name(i)} number {i}",
                "brand": "Acme",
                "rank": "1,234 in Fashion",
                "price": f"${10 + i}.99",
                "asin": _asin(i),
                "imageURL": [f"https://images-na.ssl-images-amazon.com/images/I/{i}._US40_.jpg"],
                "imageURLHighRes": [f"https://images-na.ssl-images-amazon.com/images/I/{i}.jpg"],
                "category": ["Fashion", type_name(i)],
            }
            for i in range(NUM_ITEMS)
        ),
    )
    write_pictures(folder / "images", [f"{_asin(i)}.jpg" for i in range(NUM_ITEMS)])


def amazon_2023(folder: Path) -> None:
    """JSON lines; reviews of variants (`asin`) refer to the metadata by `parent_asin`; times in milliseconds."""
    write_json_lines(
        folder / "All_Beauty.jsonl",
        (
            {
                "rating": float(1 + (e.user + e.item) % 5),
                "title": "Such a lovely scent",
                "text": "This spray is really nice.",
                "images": [],
                "asin": _asin(e.item if e.place % 2 else 1000 + e.item),
                "parent_asin": _asin(e.item),
                "user_id": f"AG{e.user * 104729:020X}",
                "timestamp": e.time * 1000 + 123,
                "helpful_vote": 0,
                "verified_purchase": True,
            }
            for e in events()
        ),
    )
    write_json_lines(
        folder / "meta_All_Beauty.jsonl",
        (
            {
                "main_category": "All Beauty",
                "title": f"{type_name(i)} number {i}",
                "average_rating": 4.8,
                "rating_number": 10,
                "features": [],
                "description": [],
                "price": None if i % 3 else 10.5 + i,
                "images": [
                    {
                        "thumb": f"https://m.media-amazon.com/images/I/{i}._SS40_.jpg",
                        "large": f"https://m.media-amazon.com/images/I/{i}.jpg",
                        "variant": "MAIN",
                        "hi_res": None,
                    }
                ],
                "videos": [],
                "store": "Acme",
                "categories": ["Beauty", type_name(i)],
                "details": {"Package Dimensions": "7.1 x 5.5 x 3 inches"},
                "parent_asin": _asin(i),
                "bought_together": None,
            }
            for i in range(NUM_ITEMS)
        ),
    )
    write_pictures(folder / "images", [f"{_asin(i)}.jpg" for i in range(NUM_ITEMS)])


def _business(item: int) -> str:
    return f"Pns2l4eNsfO8kk83dixA{item:02}"


def yelp(folder: Path) -> None:
    """JSON lines: businesses, reviews, tips and users, with a folder of pictures by business."""
    prefix = "yelp_academic_dataset_"
    write_json_lines(
        folder / f"{prefix}business.json",
        (
            {
                "business_id": _business(i),
                "name": f"{type_name(i)} and More {i}",
                "address": "1616 Chapala St",
                "city": "Santa Barbara",
                "state": "CA",
                "postal_code": "93101",
                "latitude": 34.4 + i / 100,
                "longitude": -119.7,
                "stars": 4.5,
                "review_count": 7,
                "is_open": int(i % 10 != 9),
                "attributes": {"ByAppointmentOnly": "True"},
                "categories": f"Shopping, {type_name(i)}, Home Decor",
                "hours": None,
            }
            for i in range(NUM_ITEMS)
        ),
    )
    write_json_lines(
        folder / f"{prefix}review.json",
        (
            {
                "review_id": f"KU_O5udG6zpxOg-VcAEo{k:04}",
                "user_id": f"mh_-eMZ6K5RLWhZyISBh{e.user:02}",
                "business_id": _business(e.item),
                "stars": float(1 + (e.user + e.item) % 5),
                "useful": 0,
                "funny": 0,
                "cool": 0,
                "text": "If you decide to eat here,\nbe patient.",
                "date": e.moment("%Y-%m-%d %H:%M:%S"),
            }
            for k, e in enumerate(events())
        ),
    )
    _yelp_extras(folder, prefix)
    write_pictures(folder / "photos", [f"{_business(i)}.jpg" for i in range(NUM_ITEMS)])


def _yelp_extras(folder: Path, prefix: str) -> None:
    write_json_lines(
        folder / f"{prefix}tip.json",
        (
            {
                "user_id": f"mh_-eMZ6K5RLWhZyISBh{e.user:02}",
                "business_id": _business(e.item),
                "text": "Go here",
                "date": e.moment("%Y-%m-%d %H:%M:%S"),
                "compliment_count": 0,
            }
            for e in events()[::11]
        ),
    )
    write_json_lines(
        folder / f"{prefix}checkin.json",
        (
            {"business_id": _business(i), "date": "2020-03-13 21:10:56, 2020-06-02 22:18:06"}
            for i in range(NUM_ITEMS)
        ),
    )
