"""Logs of shops: H&M, RetailRocket, REES46, Taobao, YooChoose."""

from pathlib import Path

from tests.support.datasets.world import (
    NUM_ITEMS,
    NUM_USERS,
    events,
    type_name,
    write_csv,
    write_pictures,
)

_HM_ARTICLE = [
    "article_id",
    "product_code",
    "prod_name",
    "product_type_no",
    "product_type_name",
    "product_group_name",
    "graphical_appearance_no",
    "graphical_appearance_name",
    "colour_group_code",
    "colour_group_name",
    "perceived_colour_value_id",
    "perceived_colour_value_name",
    "perceived_colour_master_id",
    "perceived_colour_master_name",
    "department_no",
    "department_name",
    "index_code",
    "index_name",
    "index_group_no",
    "index_group_name",
    "section_no",
    "section_name",
    "garment_group_no",
    "garment_group_name",
    "detail_desc",
]

_REES46 = ["event_time", "event_type", "product_id", "category_id", "category_code", "brand", "price"]
_REES46 += ["user_id", "user_session"]


def _article(item: int) -> str:
    return f"0{108_775_015 + item * 7_000_001}"


def hm(folder: Path) -> None:
    """Days as times, pictures in folders by the first three digits of the id."""
    write_csv(
        folder / "transactions_train.csv",
        [
            (e.moment("%Y-%m-%d"), f"{e.user * 2654435761:064x}", _article(e.item), 0.0508, 2)
            for e in events()
        ],
        ["t_dat", "customer_id", "article_id", "price", "sales_channel_id"],
    )
    rows = []
    for i in range(NUM_ITEMS):
        row = dict.fromkeys(_HM_ARTICLE, "1")
        row |= {"article_id": _article(i), "product_code": _article(i)[:7], "prod_name": f"Strap top {i}"}
        row |= {
            "product_type_name": type_name(i),
            "product_group_name": "Garment",
            "detail_desc": "Soft, warm.",
        }
        rows.append(list(row.values()))
    write_csv(folder / "articles.csv", rows, _HM_ARTICLE)
    write_csv(
        folder / "customers.csv",
        [(f"{u * 2654435761:064x}", "", "", "ACTIVE", "NONE", 49, "52043ee2") for u in range(NUM_USERS)],
        ["customer_id", "FN", "Active", "club_member_status", "fashion_news_frequency", "age", "postal_code"],
    )
    write_pictures(folder / "images", [f"{_article(i)[:3]}/{_article(i)}.jpg" for i in range(NUM_ITEMS)])


def retailrocket(folder: Path) -> None:
    """Events in milliseconds; properties of items in long form, in two parts."""
    kinds = ("view", "view", "addtocart", "transaction")
    write_csv(
        folder / "events.csv",
        [
            (
                e.time * 1000 + 827,
                257597 + e.user,
                kinds[e.place % 4],
                355908 + e.item,
                4000 + e.user if e.place % 4 == 3 else "",
            )
            for e in events()
        ],
        ["timestamp", "visitorid", "event", "itemid", "transactionid"],
    )
    properties: list[tuple[int, int, str, object]] = []
    for i in range(NUM_ITEMS):
        for week in range(3):
            time = (1_649_000_000 + week * 604_800) * 1000
            properties.append((time, 355908 + i, "categoryid", 1016 + i % 3))
            properties.append((time, 355908 + i, "available", int(i % 7 != 6 or week < 2)))
            properties.append((time, 355908 + i, "790", f"n{10 + i}.000"))
    for part in (1, 2):
        write_csv(
            folder / f"item_properties_part{part}.csv",
            properties[part - 1 :: 2],
            ["timestamp", "itemid", "property", "value"],
        )
    write_csv(
        folder / "category_tree.csv",
        [(1016, 213), (1017, 213), (1018, ""), (213, "")],
        ["categoryid", "parentid"],
    )
    write_pictures(folder / "images", [f"{355908 + i}.jpg" for i in range(NUM_ITEMS)])


def rees46(folder: Path) -> None:
    """One wide log with attributes of items; times end in ' UTC'."""
    kinds = ("view", "view", "cart", "purchase", "view", "remove_from_cart", "view", "purchase")
    ordered = sorted(events(), key=lambda e: e.time)
    for name, chosen in (("2019-Oct.csv", ordered[:200]), ("2019-Nov.csv", ordered[200:])):
        rows = [
            (
                e.moment("%Y-%m-%d %H:%M:%S UTC"),
                kinds[e.place],
                44600062 + e.item,
                2103807459595387724 + e.item % 3,
                f"apparel.{type_name(e.item).lower()}",
                "acme",
                35.79 + e.item,
                541312140 + e.user,
                f"72d76fde-8bb3-4e00-8c23-{e.user:06x}{e.place // 3:06x}",
            )
            for e in chosen
        ]
        write_csv(folder / name, rows, _REES46)
    write_pictures(folder / "images", [f"{44600062 + i}.jpg" for i in range(NUM_ITEMS)])


def taobao(folder: Path) -> None:
    """No header: user, item, category, behaviour, seconds."""
    kinds = ("pv", "pv", "fav", "cart", "pv", "buy", "pv", "pv")
    write_csv(
        folder / "UserBehavior.csv",
        [
            (1_000_001 + e.user, 2_268_318 + e.item * 11, 2_520_377 + e.item % 3, kinds[e.place], e.time)
            for e in events()
        ],
    )
    write_pictures(folder / "images", [f"{2_268_318 + i * 11}.jpg" for i in range(NUM_ITEMS)])


def yoochoose(folder: Path) -> None:
    """Two logs without a header and without users: clicks and purchases of sessions."""
    write_csv(
        folder / "yoochoose-clicks.dat",
        [(e.user + 1, e.moment("%Y-%m-%dT%H:%M:%S.351Z"), 214_536_502 + e.item, 0) for e in events()],
    )
    write_csv(
        folder / "yoochoose-buys.dat",
        [
            (e.user + 1, e.moment("%Y-%m-%dT%H:%M:%S.900Z"), 214_536_502 + e.item, 12462 + e.item, 1)
            for e in events()
            if e.place % 3 == 2
        ],
    )
    write_pictures(folder / "images", [f"{214_536_502 + i}.jpg" for i in range(NUM_ITEMS)])
