"""Receipts (UPO v4-3), for one invoice and for a whole session; made and sealed when first asked for."""

import json

from lxml import etree

from . import clock
from .seal import seal

NAMESPACE = "http://upo.schematy.mf.gov.pl/KSeF/v4-3"
PAGE = 10_000
_CONTEXTS = {"Nip": "Nip", "InternalId": "IdWewnetrzny", "NipVatUe": "IdZlozonyVatUE",
             "PeppolId": "IdDostawcyUslugPeppol"}
_STRUCTURES = {"FA (2)": "Schemat_FA(2)_v1-0E.xsd", "FA (3)": "Schemat_FA(3)_v1-0E.xsd",
               "FA_RR (1)": "Schemat_FA_RR(1)_v1-1E.xsd"}


def _add(parent, name, text=None):
    node = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    if text is not None:
        node.text = str(text)
    return node


class Upo:
    """The room of receipts. A receipt never changes once it has been made."""

    def __init__(self, app):
        self._app = app

    def of_invoice(self, row):
        """Bytes of the receipt for an accepted invoice (a row of ``invoices``)."""
        with self._app.store.transaction() as store:
            made = store.value("SELECT upo FROM files WHERE reference = ?", row["reference"])
            if made is None:
                made = self._make(self._app.sessions.row(row["session"]), [row], None)
                store.update("files", "reference", row["reference"], upo=made)
            return made

    def of_page(self, page):
        """Bytes of one page of a session's collective receipt (a row of ``upo_pages``)."""
        with self._app.store.transaction() as store:
            if page["content"] is not None:
                return page["content"]
            session = self._app.sessions.row(page["session"])
            start = (page["page"] - 1) * PAGE
            rows = store.all("SELECT * FROM invoices WHERE session = ? AND code = 200 ORDER BY ordinal "
                             "LIMIT ? OFFSET ?", session["reference"], PAGE, start)
            pages = store.value("SELECT count(*) FROM upo_pages WHERE session = ?", session["reference"])
            description = {"Strona": page["page"], "LiczbaStron": pages, "ZakresDokumentowOd": start + 1,
                           "ZakresDokumentowDo": start + len(rows), "CalkowitaLiczbaDokumentow": session["accepted"]}
            made = self._make(session, rows, description)
            store.update("upo_pages", "reference", page["reference"], content=made)
            return made

    def _make(self, session, rows, description):
        root = etree.Element(f"{{{NAMESPACE}}}Potwierdzenie", nsmap={None: NAMESPACE}, wersjaSchemy="v4-3")
        _add(root, "NazwaPodmiotuPrzyjmujacego", self._app.settings.receiver)
        _add(root, "NumerReferencyjnySesji", session["reference"])
        self._add_login(root, session)
        if description:
            node = _add(root, "OpisPotwierdzenia")
            for name, value in description.items():
                _add(node, name, value)
        form = json.loads(session["form"])["systemCode"]
        _add(root, "NazwaStrukturyLogicznej", _STRUCTURES.get(form, form))
        _add(root, "KodFormularza", form)
        for row in rows:
            self._add_document(root, row)
        key, certificate = self._app.keys.pair("seal")
        return seal(root, key, certificate, self._app.clock.now())

    @staticmethod
    def _add_login(root, session):
        node = _add(root, "Uwierzytelnienie")
        _add(_add(node, "IdKontekstu"), _CONTEXTS[session["context_type"]], session["context_value"])
        login = json.loads(session["login"])
        if login.get("token"):
            _add(node, "NumerReferencyjnyTokenaKSeF", login["token"])
        else:
            _add(node, "SkrotDokumentuUwierzytelniajacego", login.get("document") or "A" * 43 + "=")

    def _add_document(self, root, row):
        archived = self._app.store.one("SELECT * FROM archive WHERE ksef_number = ?", row["ksef_number"])
        node = _add(root, "Dokument")
        _add(node, "NipSprzedawcy", archived["seller_nip"])
        _add(node, "NumerKSeFDokumentu", archived["ksef_number"])
        _add(node, "NumerFaktury", archived["number"])
        _add(node, "DataWystawieniaFaktury", archived["issued"])
        _add(node, "DataPrzeslaniaDokumentu", clock.warsaw_text(clock.parse(row["invoiced"])))
        _add(node, "DataNadaniaNumeruKSeF", clock.warsaw_text(clock.parse(row["acquired"])))
        _add(node, "SkrotDokumentu", archived["hash"])
        _add(node, "TrybWysylki", archived["mode"])
