"""Exports of shop systems: Shopify, WooCommerce. Their pictures are on the web; a folder has them by SKU."""

from pathlib import Path

from tests.support.datasets.world import (
    NUM_ITEMS,
    events,
    type_name,
    write_csv,
    write_pictures,
)

_SHOPIFY_PRODUCT = (
    "Handle",
    "Title",
    "Body (HTML)",
    "Vendor",
    "Product Category",
    "Type",
    "Tags",
    "Published",
    "Option1 Name",
    "Option1 Value",
    "Variant SKU",
    "Variant Grams",
    "Variant Inventory Qty",
    "Variant Price",
    "Image Src",
    "Image Position",
    "Image Alt Text",
    "Status",
)
_SHOPIFY_ORDER = (
    "Name",
    "Email",
    "Financial Status",
    "Paid at",
    "Fulfillment Status",
    "Currency",
    "Total",
    "Created at",
    "Lineitem quantity",
    "Lineitem name",
    "Lineitem price",
    "Lineitem sku",
    "Vendor",
    "Id",
)
_WOO_PRODUCT = (
    "ID",
    "Type",
    "SKU",
    "Name",
    "Published",
    "Is featured?",
    "Visibility in catalog",
    "Short description",
    "In stock?",
    "Stock",
    "Sale price",
    "Regular price",
    "Categories",
    "Tags",
    "Images",
)
_WOO_ORDER = (
    "Order Number",
    "Order Status",
    "Order Date",
    "First Name (Billing)",
    "Email (Billing)",
    "Payment Method Title",
    "Order Total Amount",
    "SKU",
    "Item #",
    "Item Name",
    "Quantity (- Refund)",
    "Item Cost",
)
_BASKET = 2
"""Items of an order."""


def _sku(item: int) -> str:
    return f"{type_name(item)[:2].upper()}-{100 + item}"


def shopify(folder: Path) -> None:
    """Products with a further row for each further picture; orders with a row for each item."""
    products = []
    for i in range(NUM_ITEMS):
        src = f"https://cdn.shopify.com/s/files/1/0001/products/{i}.jpg"
        first = [
            "Acme",
            f"Home & Garden > {type_name(i)}",
            type_name(i),
            f"warm, {type_name(i).lower()}, new",
            "true",
            "Title",
            "Default Title",
        ]
        status = "draft" if i % 15 == 14 else "active"
        sold = [_sku(i), 500, 7, f"{20 + i}.00", src, 1, "", status]
        products.append(
            [f"no-{i}", f"{type_name(i)} No. {i}", f"<p>A {i}\n<b>fine</b> one</p>", *first, *sold]
        )
        products.append([f"no-{i}", *[""] * 13, src.replace(".jpg", "-2.jpg"), 2, "", ""])
    write_csv(folder / "products_export_1.csv", products, _SHOPIFY_PRODUCT)
    orders = []
    for k, e in enumerate(events()):
        created, email = e.moment("%Y-%m-%d %H:%M:%S -0500"), f"jane{e.user}@example.org"
        order = f"#{1001 + e.user * 10 + e.place // _BASKET}"
        paid = ["paid", created, "fulfilled", "USD", "42.00"] if e.place % _BASKET == 0 else [""] * 5
        item = [1, f"{type_name(e.item)} No. {e.item}", f"{20 + e.item}.00", _sku(e.item), "Acme"]
        orders.append([order, email, *paid, created, *item, 5_000_000 + k if paid[0] else ""])
    write_csv(folder / "orders_export_1.csv", orders, _SHOPIFY_ORDER)
    write_pictures(folder / "pictures", [f"{_sku(i)}.jpg" for i in range(NUM_ITEMS)])


def woocommerce(folder: Path) -> None:
    """The product export, and orders with a row for each item as the usual plugins write them."""
    write_csv(
        folder / "wc-product-export.csv",
        [
            [
                40 + i,
                "simple",
                _sku(i),
                f"{type_name(i)} No. {i}",
                1,
                0,
                "visible",
                "A fine one.",
                int(i % 15 != 14),
                "",
                "",
                f"{20 + i}.5",
                f"Home > {type_name(i)}, New",
                "warm",
                f"https://example.org/wp-content/uploads/{i}.jpg, https://example.org/wp-content/uploads/{i}b.jpg",
            ]
            for i in range(NUM_ITEMS)
        ],
        _WOO_PRODUCT,
    )
    write_csv(
        folder / "orders.csv",
        [
            [
                3000 + e.user * 10 + e.place // _BASKET,
                "Completed",
                e.moment("%Y-%m-%d %H:%M"),
                "Jane",
                f"jane{e.user}@example.org",
                "Credit card",
                "42.0",
                _sku(e.item),
                1 + e.place % _BASKET,
                f"{type_name(e.item)} No. {e.item}",
                1,
                f"{20 + e.item}.5",
            ]
            for e in events()
        ],
        _WOO_ORDER,
    )
    write_pictures(folder / "pictures", [f"{_sku(i)}.jpg" for i in range(NUM_ITEMS)])
