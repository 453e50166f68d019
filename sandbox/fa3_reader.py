"""What KSeF reads out of an FA(3) document: parties, number, date, sums, and the metadata shown in queries."""

from dataclasses import dataclass, field
from decimal import Decimal

from .fa3 import FA3_NAMESPACE

_TYPES = {"VAT": "Vat", "KOR": "Kor", "ZAL": "Zal", "ROZ": "Roz", "UPR": "Upr", "KOR_ZAL": "KorZal",
          "KOR_ROZ": "KorRoz", "PEF": "VatPef", "FA_RR": "VatRr"}
_BASES = ("P_13_1", "P_13_2", "P_13_3", "P_13_4", "P_13_5", "P_13_6_1", "P_13_6_2", "P_13_6_3", "P_13_7", "P_13_8",
          "P_13_9", "P_13_10", "P_13_11")
_TAXES = ("P_14_1", "P_14_2", "P_14_3", "P_14_4", "P_14_5")


@dataclass
class Party:
    """A party: type and value of its identifier, name, role (of third parties and of the authorised one)."""

    type: str = "None"
    value: str | None = None
    name: str | None = None
    role: int = 0


@dataclass
class Invoice:
    """An invoice as far as KSeF looks into it. Amounts are decimals; dates are ISO texts."""

    form: str = "FA"
    number: str = ""
    issued: str = ""
    kind: str = ""
    currency: str = ""
    seller: Party = field(default_factory=Party)
    buyer: Party = field(default_factory=Party)
    third: list = field(default_factory=list)
    authorized: Party | None = None
    net: Decimal = Decimal(0)
    vat: Decimal = Decimal(0)
    gross: Decimal = Decimal(0)
    self_invoicing: bool = False
    attachment: bool = False

    @property
    def seller_nip(self):
        """NIP of the seller (Podmiot1)."""
        return self.seller.value

    @property
    def buyer_nip(self):
        """NIP of the buyer (Podmiot2), None when identified otherwise."""
        return self.buyer.value if self.buyer.type == "Nip" else None

    @property
    def authorized_nip(self):
        """NIP of the authorised party (PodmiotUpowazniony)."""
        return self.authorized.value if self.authorized else None

    @property
    def authorized_role(self):
        """Role of the authorised party: 1 enforcement authority, 2 bailiff, 3 tax representative."""
        return self.authorized.role if self.authorized else None

    @property
    def type(self):
        """The kind as queries call it (Vat, Kor ...)."""
        return _TYPES[self.kind]

    def roles(self):
        """(role, identifier) pairs of all who may see the invoice."""
        found = {("Subject1", self.seller_nip)}
        if self.buyer.value and self.buyer.type in ("Nip", "VatUe"):
            found.add(("Subject2", self.buyer.value))
        found.update(("Subject3", party.value) for party in self.third if party.value and party.type != "Other")
        if self.authorized:
            found.add(("SubjectAuthorized", self.authorized.value))
        return found


def _tag(name):
    return f"{{{FA3_NAMESPACE}}}{name}"


_FIELDS = [_tag(name) for name in ("KodWaluty", "P_1", "P_2", "P_15", "RodzajFaktury", *_BASES, *_TAXES,
                                   *(name + "W" for name in _TAXES))]


def _text(node, *path):
    """Collapsed text of a descendant, or None."""
    for name in path:
        if node is None:
            return None
        node = node.find(_tag(name))
    return " ".join((node.text or "").split()) if node is not None else None


def peek(root):
    """(seller's NIP, invoice number) of a document that may be wrong otherwise."""
    return (_text(root, "Podmiot1", "DaneIdentyfikacyjne", "NIP"), (_text(root, "Fa", "P_2") or "")[:256] or None)


def read(root):
    """Read a document that the schema has accepted."""
    body = root.find(_tag("Fa"))
    fields = {child.tag: child.text for child in body.iterchildren(*_FIELDS)}
    invoice = Invoice(
        number=_plain(fields[_tag("P_2")]), issued=_plain(fields[_tag("P_1")]),
        kind=_plain(fields[_tag("RodzajFaktury")]), currency=_plain(fields[_tag("KodWaluty")]),
        seller=_party(root.find(_tag("Podmiot1"))), buyer=_party(root.find(_tag("Podmiot2"))),
        gross=_sum(fields, ["P_15"]),
        third=[_third(node) for node in root.findall(_tag("Podmiot3"))],
        self_invoicing=_text(body, "Adnotacje", "P_17") == "1", attachment=root.find(_tag("Zalacznik")) is not None,
    )
    authorized = root.find(_tag("PodmiotUpowazniony"))
    if authorized is not None:
        invoice.authorized = _party(authorized)
        invoice.authorized.role = int(_text(authorized, "RolaPU"))
    invoice.net = _sum(fields, _BASES)
    suffix = "" if invoice.currency == "PLN" else "W"
    invoice.vat = _sum(fields, [name + suffix for name in _TAXES])
    return invoice


def _plain(text):
    return " ".join((text or "").split())


def _sum(fields, names):
    """The sum of the amounts that are there; the schema has seen to it that they are numbers."""
    found = (fields.get(_tag(name)) for name in names)
    return sum((Decimal(_plain(text)) for text in found if text), Decimal(0))


def _party(node):
    identity = node.find(_tag("DaneIdentyfikacyjne"))
    name = _text(identity, "Nazwa")
    if nip := _text(identity, "NIP"):
        return Party("Nip", nip, name)
    if internal := _text(identity, "IDWew"):
        return Party("InternalId", internal, name)
    if vat := _text(identity, "NrVatUE"):
        return Party("VatUe", (_text(identity, "KodUE") or "") + vat, name)
    if other := _text(identity, "NrID"):
        return Party("Other", other, name)
    return Party("None", None, name)


def _third(node):
    party = _party(node)
    party.role = int(_text(node, "Rola") or 0)
    return party


def _identifier(party):
    found = {"type": party.type}
    if party.value:
        found["value"] = party.value
    return found


def _named(value, party):
    return {**value, "name": party.name} if party.name else value


def metadata(invoice, **known):
    """InvoiceMetadata of the contract; ``known`` holds what the document itself does not say."""
    result = {
        "invoiceNumber": invoice.number, "issueDate": invoice.issued,
        "seller": _named({"nip": invoice.seller_nip}, invoice.seller),
        "buyer": _named({"identifier": _identifier(invoice.buyer)}, invoice.buyer),
        "netAmount": float(invoice.net), "grossAmount": float(invoice.gross), "vatAmount": float(invoice.vat),
        "currency": invoice.currency, "invoiceType": invoice.type,
        "isSelfInvoicing": invoice.self_invoicing, "hasAttachment": invoice.attachment, **known,
    }
    if invoice.third:
        result["thirdSubjects"] = [
            _named({"identifier": _identifier(party), "role": party.role}, party) for party in invoice.third]
    if invoice.authorized:
        result["authorizedSubject"] = _named({"nip": invoice.authorized_nip, "role": invoice.authorized_role},
                                             invoice.authorized)
    return result
