"""What rendering shares: facts about taxes and units for a whole batch, and the journal entry read once."""

import hashlib
import uuid
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any, NamedTuple

from odoo import fields

from ..ksef.fa3.codes import TaxRate
from ..ksef.fa3.schema import SchemaError
from .ksef_invoice_tax import TaxKind, known_grids

POLISH = 'pl_PL'
TEXT_TYPES = ('line_section', 'line_subsection', 'line_note')


class Booked(NamedTuple):
    """What a product line is made of, read once: reading a field of a record costs more than most that is done with it."""

    quantity: float
    price_unit: float
    discount: float
    net: float
    gross: float
    balance: float
    tax: Any
    price_include: bool


class Entry:
    """The journal items of one invoice, sorted by what they are; lines stand as Odoo shows and prints them.

    ``items``: all; ``products``: lines that are sold; ``deducted``: those of them that take off an advance (a
    settlement states them by the number of the advance invoice, not as lines); ``lines``: the others; ``shown``:
    these with sections and notes; ``taxes``: items of tax; ``terms``: receivables with their due dates; ``rounding``:
    what the method of cash rounding added; ``line_taxes``: the different taxes of the products (empty: none).
    """

    def __init__(self, move):
        self.items = list(move.line_ids)
        by_type = defaultdict(list)
        for item in self.items:
            by_type[item.display_type].append(item)
        self.products = sorted(by_type['product'], key=_printed_order)
        deducted = move._ksef_own_deductions()
        self.deducted = [item for item in self.products if item in deducted]
        self.lines = [item for item in self.products if item not in deducted] if deducted else self.products
        texts = [item for kind in TEXT_TYPES for item in by_type[kind]]
        self.shown = sorted([*self.lines, *texts], key=_printed_order) if texts else self.lines
        self.taxes = [item for item in self.items if item.tax_line_id]
        self.terms = by_type['payment_term']
        self.rounding = by_type['rounding']
        self.line_taxes = list(dict.fromkeys(item.tax_ids[:1] for item in self.products))


def _printed_order(item) -> tuple:
    return item.sequence, item.id


class RenderContext:
    """What the invoices of one batch share: moment, day, schema, and what is known of taxes and units."""

    def __init__(self, model, created_at: datetime | None):
        self.created_at = (created_at or fields.Datetime.now()).replace(tzinfo=UTC)
        self.today = model._ksef_today()
        parameters = model.env['ir.config_parameter'].sudo()
        self.namespace = uuid.uuid5(uuid.NAMESPACE_URL, parameters.get_param('database.uuid') or '')
        languages = dict(model.env['res.lang'].get_installed())
        self._language = POLISH if POLISH in languages else 'en_US'
        self._units, self._kinds, self._grids, self._booked = {}, {}, {}, {}
        self._line_kinds, self._items, self.states = {}, {}, {}
        self._uid_start = hashlib.sha1(self.namespace.bytes, usedforsecurity=False)
        self.schema, self.schema_problem = None, None
        try:
            self.schema = model._ksef_schema()
        except SchemaError as error:
            self.schema_problem = str(error)

    def kind(self, tax) -> tuple[TaxKind | None, str | None]:
        """Return what a tax is in FA(3), or the code of why it is nothing there; neither without a tax."""
        if not tax:
            return None, None
        if tax.id not in self._kinds:
            self._kinds[tax.id] = tax._ksef_kind()
        return self._kinds[tax.id]

    def booked(self, item) -> Booked:
        """Return what a product line is made of."""
        booked = self._items.get(item.id)
        if booked is None:
            tax = item.tax_ids[:1]
            booked = self._items[item.id] = Booked(
                item.quantity, item.price_unit, item.discount, item.price_subtotal, item.price_total, item.balance, tax,
                bool(tax.price_include))
        return booked

    def line_kind(self, item) -> TaxKind | None:
        """Return what the tax of a journal item is in FA(3)."""
        if item.id not in self._line_kinds:
            self._line_kinds[item.id] = self.kind(self.booked(item).tax)[0]
        return self._line_kinds[item.id]

    def line_kinds(self, entry: Entry) -> list[TaxKind]:
        """Return what the taxes on the lines of an invoice are, each once."""
        return [kind for tax in entry.line_taxes if (kind := self.kind(tax)[0])]

    def rate(self, tax) -> tuple[TaxRate | None, str | None]:
        """Return the rate of a tax, or the code of why it has none; neither without a tax."""
        kind, problem = self.kind(tax)
        return (kind.rate if kind else None), problem

    def grids(self, tax, refund: bool) -> frozenset:
        """Return the tax grids of the base of a tax, on invoices or on credit notes."""
        key = tax.id, refund
        if key not in self._grids:
            self._grids[key] = tax._ksef_base_grids(refund)
        return self._grids[key]

    def booked_grids(self, item) -> frozenset:
        """Return the known tax grids in which a journal item is booked."""
        tags = item.tax_tag_ids
        key = tuple(tags.ids)
        if key not in self._booked:
            self._booked[key] = known_grids(tags)
        return self._booked[key]

    def unit_name(self, unit) -> str | None:
        """Return the Polish name of a unit of measure, whatever language the user has."""
        if unit.id not in self._units:
            self._units[unit.id] = unit.with_context(lang=self._language).name
        return self._units[unit.id]

    def uid(self, record) -> str:
        """Return the identifier of a line (UU_ID), made from its record: the same in an invoice and all its corrections."""
        digest = self._uid_start.copy()
        digest.update(f'{record._name}/{record.id}'.encode())
        return str(uuid.UUID(bytes=digest.digest()[:16], version=5))  # uuid5 of the namespace, which needn't be hashed anew
