"""Column names that mean a role, in several languages, in order of preference."""

import re
import unicodedata

_NAMES = {
    "user_id": (
        "userid user uid useruuid customerid customer customeruuid visitorid reviewerid memberid member "
        "accountid buyerid shopperid clientid client personid profileid viewerid readerid cookieid "
        "deviceid visitor buyer kundennummer kundenid kundeid kunde kundennr nutzerid nutzer benutzer "
        "idutilisateur utilisateur idclient idusuario usuario idcliente cliente utenteid utente klantid "
        "klant gebruiker uzytkownik klient 用户id 用户 пользователь покупатель email customeremail useremail "
        "emailbilling billingemail buyeremail"
    ),
    "session_id": "sessionid session usersession sessionuuid visitid sid sitzung sesion",
    "item_id": (
        "itemid item iid parentasin asin productid product prodid articleid article variantsku "
        "lineitemsku sku productsku itemsku productcode movieid businessid goodsid goodid postid pinid "
        "photoid pictureid artworkid paintingid bookid isbn songid trackid videoid contentid listingid "
        "recipeid hotelid postingid adid offerid stockcode artikelnummer artikelid artikel artikelnr "
        "produktid produkt produktnummer idproduit produit idarticle idproducto producto articulo "
        "idarticulo idprodotto prodotto idproduto produto товар 商品id 商品 handle id"
    ),
    "time": (
        "timestamp eventtime time eventtimestamp unixreviewtime unixtime datetime createdat created ts "
        "orderdate purchasedate purchasedat orderedat transactiondate tdat eventdate date reviewdate "
        "invoicedate occurredat seenat clickedat ratedat paidat visitdate dateadded when zeitstempel "
        "zeitpunkt zeit datum bestelldatum kaufdatum horodatage dateheure fecha hora data dataora 时间 日期 "
        "дата время"
    ),
    "kind": (
        "eventtype event kind behavior behaviour behaviortype action actiontype interactiontype "
        "interaction feedback feedbacktype activity type ereignis aktion evenement evento accion azione "
        "行为"
    ),
    "event_id": "eventid reviewid interactionid logid eventuuid rowid",
    "position": "position rank slot impressionposition place",
    "rating": "rating overall stars score reviewrating ratingvalue bewertung note puntuacion",
    "title": (
        "title name productname prodname itemname producttitle itemtitle movietitle displayname titel "
        "bezeichnung produktname artikelname titre nom libelle titulo nombre titolo nome naam nazwa 标题 名称 "
        "название"
    ),
    "categories": (
        "categories category genres genre productcategory producttypename producttype maincategory "
        "categoryname tags tag productgroupname type categorycode kategorien kategorie warengruppe "
        "categorie rubrique categoria categorias 类别 类目 категория categoryid"
    ),
    "price": (
        "price variantprice regularprice saleprice unitprice listprice preis verkaufspreis prix "
        "prixunitaire precio prezzo preco prijs cena 价格 цена"
    ),
    "created_at": (
        "createdat created dateadded addedat publishedat releasedate publishdate firstseen launchdate "
        "onlinesince erstelltam angelegt datecreation fechacreacion"
    ),
    "available": (
        "available isavailable availability instock isinstock isopen isactive active enabled published "
        "status state verfuegbar lieferbar aktiv disponible actif activo disponibile"
    ),
    "image": (
        "image imagepath imagefile imagefilename imagesrc images imageurl imageurls imageurlhighres "
        "imageuri imagename picture pictures picturepath photo photos photopath photoid cover coverpath "
        "coverurl poster posterpath thumbnail thumbnailurl img imgpath imgurl file filename filepath bild "
        "bilder bildpfad foto fotos imagen immagine"
    ),
    "property": "property attribute attributename propertyname key feature eigenschaft",
    "value": "value attributevalue propertyvalue wert valeur valor",
}
ROLE_NAMES = {role: tuple(names.split()) for role, names in _NAMES.items()}
"""Names without case, accents and separators; earlier ones are preferred."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_WORD = re.compile(r"[\W_]+")


def plain_name(name: str) -> str:
    """A column name without case, accents and separators.

    Example:
        >>> plain_name("Variant SKU"), plain_name("userId"), plain_name("Catégorie")
        ('variantsku', 'userid', 'categorie')
    """
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return _NOT_WORD.sub("", "".join(c for c in decomposed if not unicodedata.combining(c)))


def words(name: str) -> list[str]:
    """The words of a file or column name, in lower case.

    Example:
        >>> words("userId"), words("yoochoose-clicks.dat")
        (['user', 'id'], ['yoochoose', 'clicks', 'dat'])
    """
    return [word for word in _NOT_WORD.split(_CAMEL.sub(" ", name).casefold()) if word]


def name_rank(role: str, name: str) -> int | None:
    """Place of a column name among the names of a role, 0 the most telling; None where it is none of them.

    Example:
        >>> name_rank("user_id", "User-ID"), name_rank("user_id", "price")
        (0, None)
    """
    names = ROLE_NAMES[role]
    plain = plain_name(name)
    return names.index(plain) if plain in names else None


def named(role: str, names: list[str]) -> list[str]:
    """The column names that mean a role, the most telling first.

    Example:
        >>> named("item_id", ["id", "title", "asin"])
        ['asin', 'id']
    """
    ranks = [(rank, name) for name in names if (rank := name_rank(role, name)) is not None]
    return [name for _, name in sorted(ranks, key=lambda r: r[0])]
