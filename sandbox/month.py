"""A month of purchases of all kinds, issued to one company by several suppliers, each invoice on a day of its own."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from lxml import etree

from . import clock
from .fa3 import FA3_NAMESPACE, FORMS
from .fa3_reader import Invoice
from .fa3_reader import Party as Read
from .samples import SUPPLIERS, Party, nip_from

DAYS = 30
HOUSE, ADVICE, FACTORY = SUPPLIERS["goods"], SUPPLIERS["services"], SUPPLIERS["factory"]
SCHOOL = Party(nip_from("525000911"), "Szkoła Językowa Wzór", "ul. Szkolna 4, 00-002 Warszawa")
SCRAP = Party(nip_from("113000722"), "Skup Metali sp. z o.o.", "ul. Złomowa 8, 03-001 Warszawa")
CARS = Party(nip_from("676000544"), "Auto Komis Jan Kowalski", "al. Pokoju 15, 31-001 Kraków")
BUILDER = Party(nip_from("897000455"), "Budowa i Remont sp. z o.o.", "ul. Murarska 2, 50-001 Wrocław")
SHOP = Party(nip_from("583000366"), "Sklep Narożny", "ul. Rynek 1, 80-001 Gdańsk")
HOSPITAL = Party(nip_from("945000188"), "Dostawca Peppol S.A.", "ul. Zdrowa 5, 30-002 Kraków")
FARMER = Party(nip_from("872000499"), "Gospodarstwo Rolne Zofia Lis", "Lisów 12, 39-200 Dębica")
NEWCOMER = Party(nip_from("118000577"), "Nowy Dostawca sp. z o.o.", "ul. Świeża 9, 02-003 Warszawa")
OTHER_BUYER = Party("5261040828", "Nabywca S.A.", "ul. Długa 7, 31-147 Kraków")
ROW = ("UU_ID", "P_7", "Indeks", "P_8A", "P_8B", "P_9A", "P_9B", "P_10", "P_11", "P_11A", "P_12", "KursWaluty", "StanPrzed")
PEPPOL, FLAT_RATE = ("PEF (3)", "2-1", "PEF"), ("FA_RR (1)", "1-1E", "FA_RR")


@dataclass(frozen=True)
class Document:
    """One invoice of the month.

    ``day``: days after the first; ``seller`` None: the company itself; ``sums``, ``rows``, ``notes``: what differs from an
    empty FA(3) body; ``of``: the earlier document that it corrects or settles; ``form``: of documents that are not FA(3).
    """

    key: str
    day: int
    seller: Party | None
    number: str
    sums: dict
    gross: str
    rows: tuple = ()
    kind: str = "VAT"
    currency: str = "PLN"
    of: str | None = None
    notes: dict = field(default_factory=dict)
    payment: tuple = ()
    buyer: Party | None = None
    order: str | None = None
    is_third: bool = False
    footer: tuple = ()
    form: tuple | None = None


def row(name, quantity, price, rate="23", net=None, **more):
    """A line: texts of its elements."""
    return {"P_7": name, "P_8A": "szt.", "P_8B": quantity, "P_9A": price, "P_11": net, "P_12": rate, **more}


def _paper(price, net, **more):
    return row("Papier biurowy A4, 80 g", "20", price, net=net, Indeks="P-1", UU_ID="papier-1", **more)


_VAT_23 = ("P_13_1", "P_14_1")
DOCUMENTS = (
    Document("before", 0, ADVICE, "US/0", dict(zip(_VAT_23, ("1800.00", "414.00"), strict=True)), "2214.00",
             (row("Usługi doradcze", "10", "180.00", net="1800.00", UU_ID="doradztwo"),)),
    Document("known", 1, HOUSE, "HP/1", {"P_13_1": "358.00", "P_14_1": "82.34"}, "440.34", (_paper("17.90", "358.00"),)),
    Document("early-correction", 2, ADVICE, "US/K1", {"P_13_1": "-180.00", "P_14_1": "-41.40"}, "-221.40", (
        row("Usługi doradcze", "10", "180.00", net="1800.00", UU_ID="doradztwo", StanPrzed="1"),
        row("Usługi doradcze", "9", "180.00", net="1620.00", UU_ID="doradztwo")), "KOR", of="before"),
    Document("rates", 3, HOUSE, "HP/2", {"P_13_1": "193.50", "P_14_1": "44.51", "P_13_2": "127.80", "P_14_2": "10.22",
                                         "P_13_3": "79.00", "P_14_3": "3.95", "P_13_6_1": "400.00"}, "858.98", (
        row("Kawa ziarnista 1 kg", "3", "64.50", net="193.50"), row("Woda źródlana 19 l", "6", "21.30", "8", "127.80"),
        row("Poradnik podatkowy (książka)", "1", "79.00", "5", "79.00"),
        row("Dostawa sprzętu ratowniczego", "1", "400.00", "0 KR", "400.00"))),
    Document("advance", 4, FACTORY, "FT/Z1", {"P_13_1": "10000.00", "P_14_1": "2300.00"}, "12300.00", kind="ZAL",
             order="Linia pakująca LP-3"),
    Document("correction", 5, HOUSE, "HP/K1", {"P_13_1": "-35.80", "P_14_1": "-8.23"}, "-44.03", (
        _paper("17.90", "358.00", StanPrzed="1"), _paper("16.11", "322.20")), "KOR", of="known"),
    Document("data", 6, HOUSE, "HP/KD", {}, "0", (), "KOR", of="rates"),
    Document("euro", 7, FACTORY, "FT/E1", {"P_13_1": "315.00", "P_14_1": "72.45", "P_14_1W": "308.00"}, "387.45", (
        row("Łożysko kulkowe 6204", "100", "3.15", net="315.00", KursWaluty="4.2512"),), currency="EUR"),
    Document("exempt", 8, SCHOOL, "SJ/1", {"P_13_7": "1000.00"}, "1000.00", (row("Kurs języka", "1", "1000.00", "zw", "1000.00"),),
             notes={"P_19A": "art. 43 ust. 1 pkt 28 ustawy"}),
    Document("outside", 8, FACTORY, "FT/NP", {"P_13_8": "500.00"}, "500.00", (row("Montaż w Berlinie", "1", "500.00", "np I", "500.00"),)),
    Document("reverse", 9, SCRAP, "SM/1", {"P_13_10": "2000.00"}, "2000.00", (row("Złom stalowy", "2", "1000.00", "oo", "2000.00"),),
             notes={"P_18": "1"}),
    Document("margin", 9, CARS, "AK/1", {"P_13_11": "15000.00"}, "15000.00", (
        {"P_7": "Samochód używany", "P_8A": "szt.", "P_8B": "1", "P_9B": "15000.00", "P_11A": "15000.00"},), notes={"P_PMarzy_3_1": "1"}),
    Document("discount", 10, SHOP, "SK/1", {"P_13_1": "45.00", "P_14_1": "10.35"}, "55.35", (
        row("Segregator", "10", "5.00", net="45.00", P_10="5.00"),)),
    Document("paid", 10, SHOP, "SK/2", {"P_13_1": "100.00", "P_14_1": "23.00"}, "123.00", (row("Kosz", "1", "100.00", net="100.00"),),
             payment=("paid",)),
    Document("part-paid", 10, SHOP, "SK/3", {"P_13_1": "200.00", "P_14_1": "46.00"}, "246.00", (
        row("Lampa", "1", "200.00", net="200.00"),), payment=("part", "23.00")),
    Document("split", 11, BUILDER, "BR/1", {"P_13_1": "20000.00", "P_14_1": "4600.00"}, "24600.00", (
        row("Remont dachu", "1", "20000.00", net="20000.00"),), notes={"P_18A": "1"}),
    Document("simplified", 11, SHOP, "SK/4", {}, "450.00", ({"P_7": "Wiertarka", "P_12": "23"},), "UPR"),
    Document("settlement", 12, FACTORY, "FT/R1", {"P_13_1": "38000.00", "P_14_1": "8740.00"}, "46740.00", (
        row("Linia pakująca LP-3", "1", "48000.00", net="48000.00"),), "ROZ", of="advance"),
    Document("peppol", 13, HOSPITAL, "PEF/1", {}, "984.00", form=PEPPOL),
    Document("farmer", 13, FARMER, "RR/1", {}, "535.00", form=FLAT_RATE),
    Document("unknown", 14, HOUSE, "HP/3", {"P_13_1": "700.00", "P_14_1": "161.00"}, "861.00", (
        row("Regał magazynowy", "2", "350.00", net="700.00"),)),
    Document("new", 15, NEWCOMER, "ND/1", {"P_13_1": "200.00", "P_14_1": "46.00"}, "246.00", (
        row("Wizytówki", "4", "50.00", net="200.00"),), footer=(("KRS", "0000012345"), ("REGON", "123456785"), ("BDO", "000012345"))),
    Document("entered", 16, HOUSE, "HP/4", {"P_13_1": "500.00", "P_14_1": "115.00"}, "615.00", (
        row("Wózek", "1", "500.00", net="500.00", UU_ID="wozek"),)),
    Document("own-known", 17, None, "SPRZ/1", {"P_13_1": "300.00", "P_14_1": "69.00"}, "369.00", (
        row("Usługa", "1", "300.00", net="300.00"),), buyer=OTHER_BUYER),
    Document("own-unknown", 18, None, "SPRZ/2", {"P_13_1": "400.00", "P_14_1": "92.00"}, "492.00", (
        row("Usługa", "1", "400.00", net="400.00"),), buyer=OTHER_BUYER),
    Document("third", 19, HOUSE, "HP/5", {"P_13_1": "900.00", "P_14_1": "207.00"}, "1107.00", (
        row("Stół", "1", "900.00", net="900.00"),), buyer=OTHER_BUYER, is_third=True),
    Document("misnamed", 20, HOUSE, "HP/6", {"P_13_1": "358.00", "P_14_1": "82.34"}, "440.34", (_paper("17.90", "358.00"),),
             buyer=Party("", "Zupełnie Inna Firma S.A.", "ul. Obca 3, 90-001 Łódź")),
    Document("rounding", 21, SHOP, "SK/5", {"P_13_1": "30.30", "P_14_1": "6.96"}, "37.26", tuple(
        row(f"Zeszyt {colour}", "1", "10.10", net="10.10") for colour in ("czerwony", "zielony", "niebieski"))),
    Document("entered-correction", 22, HOUSE, "HP/K2", {"P_13_1": "-100.00", "P_14_1": "-23.00"}, "-123.00", (
        row("Wózek", "1", "500.00", net="500.00", UU_ID="wozek", StanPrzed="1"),
        row("Wózek", "1", "400.00", net="400.00", UU_ID="wozek")), "KOR", of="entered"),
    Document("dearer", 23, HOUSE, "HP/K3", {"P_13_1": "10.00", "P_14_1": "2.30"}, "12.30", (
        row("Kawa ziarnista 1 kg", "1", "64.50", net="64.50", UU_ID="kawa", StanPrzed="1"),
        row("Kawa ziarnista 1 kg", "1", "74.50", net="74.50", UU_ID="kawa")), "KOR", of="rates"),
    Document("known-again", 28, HOUSE, "HP/7", {"P_13_1": "358.00", "P_14_1": "82.34"}, "440.34", (_paper("17.90", "358.00"),)),
)


class Month:
    """Issues the month; whoever sends a document is its seller, in a session of its own."""

    def __init__(self, app, nip, name):
        self._app, self._company = app, Party(nip, name)
        self._known = {}

    def issue(self):
        """Have everything issued, the clock put back for each: [{key, invoiceNumber, ksefNumber, status, issueDate, details}].

        :raise ValueError: the company has invoices already; they would be older in the archive than what comes now
        """
        app = self._app
        if app.store.one("SELECT 1 FROM parties WHERE value = ?", self._company.nip):
            raise ValueError("the company has invoices already: a month can only be the first that it gets")
        offset = app.clock.offset
        try:
            return [self._issue_one(document, offset) for document in DOCUMENTS]
        finally:
            app.clock.set_offset(offset)

    def _issue_one(self, document, offset):
        app = self._app
        app.clock.set_offset(offset - timedelta(days=DAYS - document.day).total_seconds())
        day = clock.warsaw(app.clock.now()).date()
        reference = self._send(document, day)
        invoice = app.store.one("SELECT * FROM invoices WHERE reference = ?", reference)
        self._known[document.key] = (document, day, invoice["ksef_number"])
        return {"key": document.key, "invoiceNumber": document.number, "ksefNumber": invoice["ksef_number"], "status": invoice["code"],
                "issueDate": day.isoformat(), "details": invoice["details"]}

    def _send(self, document, day):
        companies = self._app.site.companies
        seller = document.seller or self._company
        if document.form is None:
            return companies.send_now(seller.nip, self._write(document, seller, day))
        namespace = FORMS[document.form][0]
        name = "CreditNote" if "KOR" in document.form[0] else "Invoice" if document.form[2] == "PEF" else "Faktura"
        content = f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{namespace}"><Number>{document.number}</Number></{name}>'
        return companies.send_now(seller.nip, content.encode(), form=document.form, invoice=Invoice(
            form=document.form[2], number=document.number, issued=day.isoformat(), kind=document.form[2], currency="PLN",
            seller=Read("Nip", seller.nip, seller.name), buyer=Read("Nip", self._company.nip, self._company.name),
            net=Decimal(document.gross), gross=Decimal(document.gross)))

    # --- writing -----------------------------------------------------------------------------------------------

    def _write(self, document, seller, day):
        root = etree.Element(f"{{{FA3_NAMESPACE}}}Faktura", nsmap={None: FA3_NAMESPACE})
        _add(root, ("Naglowek", [("KodFormularza", "FA", {"kodSystemowy": "FA (3)", "wersjaSchemy": "1-0E"}), ("WariantFormularza", "3"),
                                 ("DataWytworzeniaFa", f"{self._app.clock.now():%Y-%m-%dT%H:%M:%SZ}"), ("SystemInfo", "Piaskownica KSeF")]))
        buyer = document.buyer or self._company
        _add(root, ("Podmiot1", _party(seller)))
        _add(root, ("Podmiot2", [*_party(buyer, self._company.nip), ("JST", "2"), ("GV", "2")]))
        if document.is_third:
            _add(root, ("Podmiot3", [*_party(self._company), ("Rola", "2")]))
        _add(root, ("Fa", [item for part in self._body(document, day) for item in part]))
        if document.footer:
            _add(root, ("Stopka", [("Rejestry", list(document.footer))]))
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

    def _body(self, document, day):
        yield [("KodWaluty", document.currency), ("P_1", day.isoformat()), ("P_2", document.number)]
        yield [] if document.kind == "KOR" else [("P_6", day.isoformat())]
        yield [*document.sums.items(), ("P_15", document.gross), _annotations(document.notes), ("RodzajFaktury", document.kind)]
        yield self._origin(document)
        yield [("FaWiersz", [("NrWierszaFa", str(number)), *((name, line[name]) for name in ROW if line.get(name) is not None)])
               for number, line in enumerate(document.rows, 1)]
        yield _payment(document, day)
        if document.order:
            yield [("Zamowienie", [("WartoscZamowienia", "59040.00"), ("ZamowienieWiersz", [
                ("NrWierszaZam", "1"), ("P_7Z", document.order), ("P_8BZ", "1"), ("P_9AZ", "48000.00"), ("P_11NettoZ", "48000.00"),
                ("P_11VatZ", "11040.00"), ("P_12Z", "23")])])]

    def _origin(self, document):
        """What the document says of the one that it corrects or settles."""
        if not document.of:
            return []
        earlier, day, number = self._known[document.of]
        if document.kind == "ROZ":
            return [("FakturaZaliczkowa", [("NrKSeFFaZaliczkowej", number)])]
        return [("PrzyczynaKorekty", "Rabat po zakupie" if document.rows else "Zmiana adresu nabywcy"), ("TypKorekty", "2"),
                ("DaneFaKorygowanej", [("DataWystFaKorygowanej", day.isoformat()), ("NrFaKorygowanej", earlier.number),
                                       ("NrKSeF", "1"), ("NrKSeFFaKorygowanej", number)])]


def _party(party, nip=None):
    return [("DaneIdentyfikacyjne", [("NIP", party.nip or nip), ("Nazwa", party.name)]),
            ("Adres", [("KodKraju", "PL"), ("AdresL1", party.address)])]


def _annotations(notes):
    exempt = [("P_19", "1"), ("P_19A", notes["P_19A"])] if "P_19A" in notes else [("P_19N", "1")]
    margin = [("P_PMarzy", "1"), ("P_PMarzy_3_1", "1")] if "P_PMarzy_3_1" in notes else [("P_PMarzyN", "1")]
    return ("Adnotacje", [("P_16", "2"), ("P_17", "2"), ("P_18", notes.get("P_18", "2")), ("P_18A", notes.get("P_18A", "2")),
                          ("Zwolnienie", exempt), ("NoweSrodkiTransportu", [("P_22N", "1")]), ("P_23", "2"), ("PMarzy", margin)])


def _payment(document, day):
    """When it was, or is to be, paid; nothing for corrections and simplified invoices."""
    if document.kind in ("KOR", "UPR"):
        return []
    if document.payment[:1] == ("paid",) or document.kind == "ZAL":
        return [("Platnosc", [("Zaplacono", "1"), ("DataZaplaty", day.isoformat()), ("FormaPlatnosci", "6")])]
    part = [("ZnacznikZaplatyCzesciowej", "1"), ("ZaplataCzesciowa", [
        ("KwotaZaplatyCzesciowej", document.payment[1]), ("DataZaplatyCzesciowej", day.isoformat())])] if document.payment else []
    terms = [("TerminPlatnosci", [("Termin", (day + timedelta(days=days)).isoformat())]) for days in ((14, 44) if part else (14,))]
    early = [("Skonto", [("WarunkiSkonta", "zapłata w 7 dni"), ("WysokoscSkonta", "2%")])] if part else []
    return [("Platnosc", [*part, *terms, ("FormaPlatnosci", "6"), *early])]


def _add(parent, item):
    """Append an element: (name, text or [items][, attributes])."""
    name, content, *attributes = item
    node = etree.SubElement(parent, f"{{{FA3_NAMESPACE}}}{name}", *attributes)
    if isinstance(content, str):
        node.text = content
    for child in [] if isinstance(content, str) else content:
        _add(node, child)

