"""FA(3) documents for the tests, written here (no samples from elsewhere)."""

from .caller import today

_XML = """<?xml version="1.0" encoding="UTF-8"?>
<Faktura xmlns="http://crd.gov.pl/wzor/2025/06/25/13775/"><Naglowek><KodFormularza kodSystemowy="FA (3)" \
wersjaSchemy="1-0E">FA</KodFormularza><WariantFormularza>3</WariantFormularza>\
<DataWytworzeniaFa>2026-02-01T00:00:00Z</DataWytworzeniaFa><SystemInfo>próba</SystemInfo></Naglowek>\
<Podmiot1><DaneIdentyfikacyjne><NIP>{seller}</NIP><Nazwa>Sprzedawca Żółw</Nazwa></DaneIdentyfikacyjne>\
<Adres><KodKraju>PL</KodKraju><AdresL1>ul. Prosta 1, 00-001 Warszawa</AdresL1></Adres></Podmiot1>\
<Podmiot2><DaneIdentyfikacyjne>{buyer}<Nazwa>Nabywca</Nazwa></DaneIdentyfikacyjne>\
<Adres><KodKraju>PL</KodKraju><AdresL1>ul. Krzywa 2, 00-002 Warszawa</AdresL1></Adres><JST>2</JST><GV>2</GV></Podmiot2>\
{third}<Fa><KodWaluty>{currency}</KodWaluty><P_1>{issued}</P_1><P_2>{number}</P_2><P_13_1>{net}</P_13_1>\
<P_14_1>23.00</P_14_1>{foreign}<P_15>{gross}</P_15><Adnotacje><P_16>2</P_16><P_17>{self_invoicing}</P_17><P_18>2</P_18>\
<P_18A>2</P_18A><Zwolnienie><P_19N>1</P_19N></Zwolnienie><NoweSrodkiTransportu><P_22N>1</P_22N></NoweSrodkiTransportu>\
<P_23>2</P_23><PMarzy><P_PMarzyN>1</P_PMarzyN></PMarzy></Adnotacje><RodzajFaktury>{kind}</RodzajFaktury>{correction}\
<FaWiersz><NrWierszaFa>1</NrWierszaFa><P_7>usługa</P_7><P_8A>szt.</P_8A><P_8B>1</P_8B><P_9A>{net}</P_9A>\
<P_11>{net}</P_11><P_12>23</P_12></FaWiersz></Fa>{attachment}</Faktura>"""

CORRECTION = ("<DaneFaKorygowanej><DataWystFaKorygowanej>2026-02-01</DataWystFaKorygowanej><NrFaKorygowanej>X/1"
              "</NrFaKorygowanej><NrKSeFN>1</NrKSeFN></DaneFaKorygowanej>")
ATTACHMENT = ("<Zalacznik><BlokDanych><MetaDane><ZKlucz>a</ZKlucz><ZWartosc>b</ZWartosc></MetaDane></BlokDanych>"
              "</Zalacznik>")


def third(nip, role=4):
    """A Podmiot3."""
    return (f"<Podmiot3><DaneIdentyfikacyjne><NIP>{nip}</NIP><Nazwa>Trzeci</Nazwa></DaneIdentyfikacyjne>"
            f"<Rola>{role}</Rola></Podmiot3>")


def invoice(seller, number, *, buyer="1111111111", issued=None, kind="VAT", third_party="", attachment=False,
            net="100.00", gross="123.00", currency="PLN", self_invoicing=False, padding=0):
    """Bytes of an invoice; ``buyer`` is a NIP or a piece of XML; ``padding`` bytes are added as a comment."""
    identity = buyer if buyer.startswith("<") else f"<NIP>{buyer}</NIP>"
    text = _XML.format(
        seller=seller, number=number, buyer=identity, issued=issued or today(), kind=kind, third=third_party, net=net,
        gross=gross, currency=currency, foreign="" if currency == "PLN" else "<P_14_1W>99.00</P_14_1W>",
        correction=CORRECTION if kind.startswith("KOR") else "", attachment=ATTACHMENT if attachment else "",
        self_invoicing=1 if self_invoicing else 2)
    return (text + (f"<!--{'x' * padding}-->" if padding else "")).encode()
