"""Sample invoices that the page at ``/`` lets a supplier issue: made here, from nothing but these tables."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from lxml import etree

from .fa3 import FA3_NAMESPACE

EURO = Decimal("4.2512")
SAMPLES = {
    "goods": "Goods (towary, 23%)",
    "services": "Services (usługi, 23%)",
    "rates": "Several rates (23%, 8%, 5%, 0%)",
    "currency": "In euro (faktura w EUR)",
    "advance": "Advance (faktura zaliczkowa)",
    "correction": "Correction (faktura korygująca)",
}


@dataclass(frozen=True)
class Line:
    """A line: name, unit, quantity, net price, rate (as P_12 writes it)."""

    name: str
    unit: str
    quantity: Decimal
    price: Decimal
    rate: str = "23"

    @property
    def net(self):
        """Net value."""
        return cents(self.quantity * self.price)


@dataclass(frozen=True)
class Party:
    """A company on a sample."""

    nip: str
    name: str
    address: str = "ul. Przykładowa 1, 00-001 Warszawa"


def cents(value):
    """Rounded to the grosz, halves up."""
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def nip_from(digits):
    """A NIP: nine digits and their check digit; raises ValueError when there is none."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, (6, 5, 7, 2, 3, 4, 5, 6, 7), strict=True)) % 11
    if total == 10:
        raise ValueError(f"{digits} has no check digit")
    return f"{digits}{total}"


SUPPLIERS = {
    "goods": Party(nip_from("526000124"), "Hurtownia Przykładowa sp. z o.o.", "ul. Magazynowa 7, 02-001 Warszawa"),
    "services": Party(nip_from("779000351"), "Usługi Wzorcowe Anna Nowak", "ul. Biurowa 3/5, 61-001 Poznań"),
    "factory": Party(nip_from("634000787"), "Fabryka Testowa S.A.", "ul. Hutnicza 12, 40-001 Katowice"),
}
_SUPPLIER_OF = {"goods": "goods", "rates": "goods", "correction": "goods", "services": "services",
                "currency": "factory", "advance": "factory"}
_LINES = {
    "goods": [Line("Papier biurowy A4, 80 g", "ryza", Decimal(20), Decimal("17.90")),
              Line("Toner do drukarki XR-200", "szt.", Decimal(2), Decimal("249.00"))],
    "services": [Line("Usługi doradcze – miesięczny abonament", "godz.", Decimal("12.5"), Decimal("180.00"))],
    "rates": [Line("Kawa ziarnista 1 kg", "szt.", Decimal(3), Decimal("64.50"), "23"),
              Line("Woda źródlana 19 l", "szt.", Decimal(6), Decimal("21.30"), "8"),
              Line("Poradnik podatkowy (książka)", "szt.", Decimal(1), Decimal("79.00"), "5"),
              Line("Dostawa sprzętu ratowniczego", "kpl.", Decimal(1), Decimal("400.00"), "0 KR")],
    "currency": [Line("Łożysko kulkowe 6204", "szt.", Decimal(100), Decimal("3.15"))],
    "advance": [Line("Linia pakująca LP-3", "kpl.", Decimal(1), Decimal("48000.00"))],
}
# rate -> (field of the base, field of the tax or None, percent)
_SUMS = {"23": ("P_13_1", "P_14_1", 23), "8": ("P_13_2", "P_14_2", 8), "5": ("P_13_3", "P_14_3", 5),
         "0 KR": ("P_13_6_1", None, 0)}
_KINDS = {"advance": "ZAL", "correction": "KOR"}


def supplier_of(sample):
    """The supplier that issues a kind of sample."""
    return SUPPLIERS[_SUPPLIER_OF[sample]]


def make(sample, seller, buyer, number, day, *, corrected=None, created):
    """Bytes of a sample invoice.

    ``day`` is the issue date (a date), ``created`` an instant as text; a correction takes ``corrected``: a dict with
    number, issued and ksef_number of the invoice that it corrects.
    """
    root = etree.Element(f"{{{FA3_NAMESPACE}}}Faktura", nsmap={None: FA3_NAMESPACE})
    _add(root, "Naglowek", [("KodFormularza", "FA", {"kodSystemowy": "FA (3)", "wersjaSchemy": "1-0E"}),
                            ("WariantFormularza", "3"), ("DataWytworzeniaFa", created),
                            ("SystemInfo", "Piaskownica KSeF")])
    for element, party in (("Podmiot1", seller), ("Podmiot2", buyer)):
        content = [("DaneIdentyfikacyjne", [("NIP", party.nip), ("Nazwa", party.name)]),
                   ("Adres", [("KodKraju", "PL"), ("AdresL1", party.address)])]
        if element == "Podmiot2":
            content += [("JST", "2"), ("GV", "2")]
        _add(root, element, content)
    _add(root, "Fa", _body(sample, number, day, corrected))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _body(sample, number, day, corrected):
    euro = sample == "currency"
    rows, sums, gross = _content(sample, euro)
    body = [("KodWaluty", "EUR" if euro else "PLN"), ("P_1", day.isoformat()), ("P_1M", "Warszawa"), ("P_2", number),
            *([] if sample == "correction" else [("P_6", day.isoformat())]), *sums, ("P_15", str(gross)), _NOTES,
            ("RodzajFaktury", _KINDS.get(sample, "VAT"))]
    if sample == "correction":
        body += [("PrzyczynaKorekty", "Rabat po zakupie"), ("TypKorekty", "2"), ("DaneFaKorygowanej", _corrected(corrected))]
    body += [("FaWiersz", row) for row in rows]
    body.append(_payment(sample, day))
    if sample == "advance":
        body.append(_order(_LINES["advance"]))
    return body


_NOTES = ("Adnotacje", [
    ("P_16", "2"), ("P_17", "2"), ("P_18", "2"), ("P_18A", "2"), ("Zwolnienie", [("P_19N", "1")]),
    ("NoweSrodkiTransportu", [("P_22N", "1")]), ("P_23", "2"), ("PMarzy", [("P_PMarzyN", "1")])])


def _content(sample, euro):
    """(rows, sums, gross) of a sample."""
    if sample == "advance":
        gross = Decimal("12300.00")
        tax = cents(gross * 23 / 123)
        return [], [("P_13_1", str(gross - tax)), ("P_14_1", str(tax))], gross
    if sample == "correction":
        before = _LINES["goods"][0]
        after = Line(before.name, before.unit, before.quantity, cents(before.price * Decimal("0.9")))
        rows = [_row(1, before, euro, before=True), _row(1, after, euro)]
        net = after.net - before.net
        tax = cents(net * 23 / 100)
        return rows, [("P_13_1", str(net)), ("P_14_1", str(tax))], net + tax
    lines = _LINES[sample]
    rows = [_row(index, line, euro) for index, line in enumerate(lines, 1)]
    sums, gross = _sums(lines, euro)
    return rows, sums, gross


def _sums(lines, euro):
    sums, gross = [], Decimal(0)
    for rate, (base, tax_field, percent) in _SUMS.items():
        net = sum((line.net for line in lines if line.rate == rate), Decimal(0))
        if not net:
            continue
        tax = cents(net * percent / 100)
        gross += net + tax
        sums.append((base, str(net)))
        if tax_field:
            sums.append((tax_field, str(tax)))
            if euro:
                sums.append((f"{tax_field}W", str(cents(tax * EURO))))
    return sums, gross


def _row(index, line, euro, before=False):
    row = [("NrWierszaFa", str(index)), ("UU_ID", f"sample-{index}"), ("P_7", line.name), ("P_8A", line.unit),
           ("P_8B", str(line.quantity)), ("P_9A", str(line.price)), ("P_11", str(line.net)), ("P_12", line.rate)]
    if euro:
        row.append(("KursWaluty", str(EURO)))
    if before:
        row.append(("StanPrzed", "1"))
    return row


def _corrected(corrected):
    known = corrected or {"issued": "2026-01-02", "number": "F/1"}
    mark = [("NrKSeF", "1"), ("NrKSeFFaKorygowanej", known["ksef_number"])] if corrected else [("NrKSeFN", "1")]
    return [("DataWystFaKorygowanej", known["issued"]), ("NrFaKorygowanej", known["number"]), *mark]


def _payment(sample, day):
    if sample == "advance":
        return ("Platnosc", [("Zaplacono", "1"), ("DataZaplaty", day.isoformat()), ("FormaPlatnosci", "6")])
    due = day.fromordinal(day.toordinal() + 14)
    return ("Platnosc", [("TerminPlatnosci", [("Termin", due.isoformat())]), ("FormaPlatnosci", "6"),
                         ("RachunekBankowy", [("NrRB", "61109010140000071219812874")])])


def _order(lines):
    total = sum((line.net + cents(line.net * 23 / 100) for line in lines), Decimal(0))
    return ("Zamowienie", [("WartoscZamowienia", str(total)), *[("ZamowienieWiersz", [
        ("NrWierszaZam", str(index)), ("P_7Z", line.name), ("P_8AZ", line.unit), ("P_8BZ", str(line.quantity)),
        ("P_9AZ", str(line.price)), ("P_11NettoZ", str(line.net)), ("P_11VatZ", str(cents(line.net * 23 / 100))),
        ("P_12Z", line.rate)]) for index, line in enumerate(lines, 1)]])


def _add(parent, name, content, attributes=None):
    """Append an element whose content is text or a list of (name, content[, attributes])."""
    node = etree.SubElement(parent, f"{{{FA3_NAMESPACE}}}{name}", attributes or {})
    if isinstance(content, str):
        node.text = content
    else:
        for item in content:
            _add(node, *item)
