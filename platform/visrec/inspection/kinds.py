"""Kinds of events by the words that logs, files and platforms use for them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from visrec.config.base import EventKind
from visrec.inspection.names import plain_name, words

KIND_WORDS: dict[EventKind, str] = {
    "view": (
        "view views viewed pv pageview productview itemview detail detailview viewitem viewcontent "
        "impression impressions seen see browse visit open read show play played watch ansicht vue vista "
        "浏览"
    ),
    "click": "click clicks clicked clk tap select selectitem klick clic 点击",
    "like": (
        "like likes liked fav favs favorite favorites favourite favourites favorited bookmark save saved "
        "star wishlist wish addtowishlist collect thumbup thumbsup upvote heart follow 收藏 喜欢"
    ),
    "share": "share shares shared repost retweet forward 分享",
    "comment": "comment comments commented reply review reviews reviewed danmaku 评论",
    "cart": (
        "cart carts carted addtocart addcart atc basket addtobasket tobasket warenkorb panier carrito "
        "carrello begincheckout checkout 加购"
    ),
    "purchase": (
        "purchase purchases purchased buy buys bought order orders ordered transaction transactions sale "
        "sales sold conversion pay paid payment checkoutcomplete lineitems kauf bestellung bestellungen "
        "achat commande compra pedido acquisto ordine 购买"
    ),
    "skip": "skip skips skipped removefromcart removefrombasket pass ignore",
    "dislike": "dislike dislikes disliked thumbdown thumbsdown downvote return returned",
    "hide": "hide hidden block blocked report notinterested mute",
}
"""Words of each kind, without case and separators."""

_KIND_OF = {word: kind for kind, kind_words in KIND_WORDS.items() for word in kind_words.split()}
_ASSUMED = {
    "removefromcart",
    "removefrombasket",
    "return",
    "returned",
    "impression",
    "impressions",
    "report",
    "pass",
}
"""Words whose kind is a matter of opinion."""
_MAX_KINDS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class KindReading:
    """Kinds of a column.

    Attributes:
        column: Its name.
        kinds: Kind of each of its words.
        assumed: Words whose kind could be another one.
        unknown: Words of no known kind.
    """

    column: str
    kinds: dict[str, EventKind]
    assumed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    names: dict[str, EventKind] = field(default_factory=dict)
    """Of `kinds`, those that are not called so: the setting `kind_names`."""


def read_kinds(column: str, values: Sequence[str]) -> KindReading | None:
    """Kinds of a column's different values, or None where it holds no kinds.

    Example:
        >>> read_kinds("behavior", ["pv", "buy", "share"]).names
        {'pv': 'view', 'buy': 'purchase'}
    """
    if not values or len(values) > _MAX_KINDS:
        return None
    kinds = {value: _KIND_OF[plain_name(value)] for value in values if plain_name(value) in _KIND_OF}
    if not kinds:
        return None
    return KindReading(
        column=column,
        kinds=kinds,
        assumed=tuple(v for v in kinds if plain_name(v) in _ASSUMED),
        unknown=tuple(v for v in values if v not in kinds),
        names={value: kind for value, kind in kinds.items() if value.lower() != kind},
    )


def kind_of_name(name: str) -> EventKind | None:
    """The kind that the name of a file tells, or None.

    Example:
        >>> kind_of_name("yoochoose-buys.dat"), kind_of_name("transactions_train.csv"), kind_of_name("log.csv")
        ('purchase', 'purchase', None)
    """
    found = [_KIND_OF[word] for word in words(name) if word in _KIND_OF]
    return found[0] if len(set(found)) == 1 else None
