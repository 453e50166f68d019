"""Which attribute is which element: transaction, footer, attachment. Part of :mod:`.structure`."""

from . import lexical, model
from .codes import Cargo, ColumnType, TransportKind
from .nodes import Attribute, Branch, Choice, Inline, Leaf, Marked, Record, Wrap
from .structure_party import ADDRESS, CARRIER

_TRANSPORT = Record(model.Transport, (
    Choice((
        Leaf('kind', 'RodzajTransportu', lexical.Code(TransportKind)),
        Marked('TransportInny', Leaf('other_kind', 'OpisInnegoTransportu', lexical.TEXT_50)),
    ), required=True),
    Branch('carrier', 'Przewoznik', CARRIER),
    Leaf('order_number', 'NrZleceniaTransportu', lexical.TEXT_256),
    Choice((
        Leaf('cargo', 'OpisLadunku', lexical.Code(Cargo)),
        Marked('LadunekInny', Leaf('other_cargo', 'OpisInnegoLadunku', lexical.TEXT_50)),
    ), required=True),
    Leaf('packaging', 'JednostkaOpakowania', lexical.TEXT_256),
    Leaf('started_at', 'DataGodzRozpTransportu', lexical.MOMENT),
    Leaf('ended_at', 'DataGodzZakTransportu', lexical.MOMENT),
    Branch('origin', 'WysylkaZ', ADDRESS),
    Branch('stops', 'WysylkaPrzez', ADDRESS, limit=20),
    Branch('destination', 'WysylkaDo', ADDRESS),
))
TRANSACTION = Record(model.Transaction, (
    Branch('contracts', 'Umowy', Record(model.Reference, (
        Leaf('day', 'DataUmowy', lexical.AGREEMENT_DAY),
        Leaf('number', 'NrUmowy', lexical.TEXT_256),
    )), limit=100),
    Branch('orders', 'Zamowienia', Record(model.Reference, (
        Leaf('day', 'DataZamowienia', lexical.AGREEMENT_DAY),
        Leaf('number', 'NrZamowienia', lexical.TEXT_256),
    )), limit=100),
    Leaf('batches', 'NrPartiiTowaru', lexical.TEXT_256, limit=1000),
    Leaf('delivery_terms', 'WarunkiDostawy', lexical.TEXT_256),
    Inline('agreed_rate', Record(model.AgreedRate, (
        Leaf('rate', 'KursUmowny', lexical.QUANTITY, required=True),
        Leaf('currency', 'WalutaUmowna', lexical.CURRENCY, required=True),
    ))),
    Branch('transports', 'Transport', _TRANSPORT, limit=20),
    Leaf('intermediary', 'PodmiotPosredniczacy', lexical.MARK),
))
FOOTER = Record(model.Footer, (
    Branch('notes', 'Informacje', Record(model.FooterNote, (
        Leaf('text', 'StopkaFaktury', lexical.FOOTER),
    )), limit=3),
    Branch('registers', 'Rejestry', Record(model.Register, (
        Leaf('full_name', 'PelnaNazwa', lexical.TEXT_256),
        Leaf('krs', 'KRS', lexical.KRS),
        Leaf('regon', 'REGON', lexical.REGON),
        Leaf('bdo', 'BDO', lexical.TEXT_9),
    )), limit=100),
))
_TABLE = Record(model.Table, (
    Branch('metadata', 'TMetaDane', Record(model.KeyValue, (
        Leaf('key', 'TKlucz', lexical.TEXT_256, required=True),
        Leaf('value', 'TWartosc', lexical.TEXT_256, required=True),
    )), limit=1000),
    Leaf('description', 'Opis', lexical.TEXT_512),
    Wrap('TNaglowek', (Branch('columns', 'Kol', Record(model.Column, (
        Attribute('type', 'Typ', lexical.Code(ColumnType)),
        Leaf('name', 'NKom', lexical.CELL, required=True),
    )), required=True, limit=20),)),
    Branch('rows', 'Wiersz', Record(model.Row, (
        Leaf('cells', 'WKom', lexical.CELL, required=True, limit=20),
    )), required=True, limit=1000),
    Wrap('Suma', (Leaf('sums', 'SKom', lexical.CELL, limit=20),), optional=True),
))
ATTACHMENT = Record(model.Attachment, (
    Branch('blocks', 'BlokDanych', Record(model.AttachmentBlock, (
        Leaf('heading', 'ZNaglowek', lexical.TEXT_512),
        Branch('metadata', 'MetaDane', Record(model.KeyValue, (
            Leaf('key', 'ZKlucz', lexical.TEXT_256, required=True),
            Leaf('value', 'ZWartosc', lexical.TEXT_256, required=True),
        )), required=True, limit=1000),
        Wrap('Tekst', (Leaf('paragraphs', 'Akapit', lexical.TEXT_512, limit=10),), optional=True),
        Branch('tables', 'Tabela', _TABLE, limit=1000),
    )), required=True, limit=1000),
))
