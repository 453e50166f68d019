"""An invoice as a page for people. Everything that comes from the document is escaped."""

import html

from .fa3 import FA3_NAMESPACE, Unacceptable, parse

_PAGE = """<!DOCTYPE html>
<html lang="pl"><head><meta charset="utf-8"><title>{title}</title><link rel="stylesheet" href="/page/page.css"></head>
<body class="document"><h1>{title}</h1>{body}</body></html>"""
_SUMS = [("P_13_1", "23 % / 22 %"), ("P_13_2", "8 % / 7 %"), ("P_13_3", "5 %"), ("P_13_4", "ryczałt taksówek"),
         ("P_13_5", "OSS"), ("P_13_6_1", "0 % KR"), ("P_13_6_2", "0 % WDT"), ("P_13_6_3", "0 % EX"), ("P_13_7", "zw"),
         ("P_13_8", "np I"), ("P_13_9", "np II"), ("P_13_10", "oo"), ("P_13_11", "marża")]
_KINDS = {"VAT": "Faktura", "KOR": "Faktura korygująca", "ZAL": "Faktura zaliczkowa", "ROZ": "Faktura rozliczeniowa",
          "UPR": "Faktura uproszczona", "KOR_ZAL": "Korekta faktury zaliczkowej",
          "KOR_ROZ": "Korekta faktury rozliczeniowej"}


def _text(node, *path):
    for name in path:
        node = node.find(f"{{{FA3_NAMESPACE}}}{name}") if node is not None else None
    return (node.text or "").strip() if node is not None else ""


def _table(headers, rows):
    head = "".join(f"<th>{html.escape(header)}</th>" for header in headers)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _party(title, node):
    identity = node.find(f"{{{FA3_NAMESPACE}}}DaneIdentyfikacyjne") if node is not None else None
    number = _text(identity, "NIP") or f"{_text(identity, 'KodUE')}{_text(identity, 'NrVatUE')}" or _text(identity, "NrID")
    lines = [_text(identity, "Nazwa"), number, _text(node, "Adres", "AdresL1"), _text(node, "Adres", "AdresL2")]
    content = "<br>".join(html.escape(line) for line in lines if line)
    return f"<section><h2>{html.escape(title)}</h2><p>{content}</p></section>"


def render(data, ksef_number=None):
    """A page for an invoice's bytes; one that is no FA(3) document is shown as text."""
    try:
        root = parse(data)
    except Unacceptable:
        root = None
    body = root.find(f"{{{FA3_NAMESPACE}}}Fa") if root is not None else None
    if body is None:
        shown = data.decode("utf-8", "replace")[:200_000]
        return _PAGE.format(title="Dokument", body=f"<pre>{html.escape(shown)}</pre>").encode()
    kind = _text(body, "RodzajFaktury")
    title = f"{_KINDS.get(kind, 'Faktura')} {_text(body, 'P_2')}"
    facts = [("Numer KSeF", ksef_number or "–"), ("Data wystawienia", _text(body, "P_1")),
             ("Data sprzedaży", _text(body, "P_6")), ("Waluta", _text(body, "KodWaluty"))]
    parts = [
        _table([name for name, _value in facts], [[value for _name, value in facts]]),
        '<div class="parties">', _party("Sprzedawca", root.find(f"{{{FA3_NAMESPACE}}}Podmiot1")),
        _party("Nabywca", root.find(f"{{{FA3_NAMESPACE}}}Podmiot2")), "</div>", _lines(body), _sums(body),
        f'<p class="total">Kwota należności ogółem: {html.escape(_text(body, "P_15"))} '
        f'{html.escape(_text(body, "KodWaluty"))}</p>']
    return _PAGE.format(title=html.escape(title), body="".join(parts)).encode()


def _lines(body):
    rows = []
    for line in body.iterfind(f"{{{FA3_NAMESPACE}}}FaWiersz"):
        state = "przed korektą" if _text(line, "StanPrzed") == "1" else ""
        rows.append([_text(line, "NrWierszaFa"), _text(line, "P_7"), _text(line, "P_8B"), _text(line, "P_8A"),
                     _text(line, "P_9A") or _text(line, "P_9B"), _text(line, "P_12"),
                     _text(line, "P_11") or _text(line, "P_11A"), state])
    for line in body.iterfind(f"{{{FA3_NAMESPACE}}}Zamowienie/{{{FA3_NAMESPACE}}}ZamowienieWiersz"):
        rows.append([_text(line, "NrWierszaZam"), _text(line, "P_7Z"), _text(line, "P_8BZ"), _text(line, "P_8AZ"),
                     _text(line, "P_9AZ"), _text(line, "P_12Z"), _text(line, "P_11NettoZ"), "zamówienie"])
    return _table(["Lp.", "Nazwa", "Ilość", "Miara", "Cena", "Stawka", "Wartość", ""], rows)


def _sums(body):
    rows = [[label, _text(body, field), _text(body, field.replace("P_13", "P_14"))]
            for field, label in _SUMS if _text(body, field)]
    return _table(["Stawka", "Netto", "Podatek"], rows)

