"""Findings in Odoo's words: the label of the field, what to do, and the record to open.

``ksef.fa3`` speaks of paths in its model ('lines[2].unit_price'); here they become records and fields.
"""

import dataclasses
import re
from typing import Any

from odoo import models

from ..ksef.fa3.finding import ERROR, WARNING, Finding
from .ksef_invoice_context import Entry
from .ksef_invoice_texts import FAULT, TEXTS

# Path in the model (without indexes, the longest that fits) -> path of the record from the invoice, its field.
# 'line', 'remark' and 'supply' stand for the journal item or the date that the value came from.
FIELDS = {
    'number': ('', 'name'),
    'issue_date': ('', 'invoice_date'),
    'supply_date': ('', 'supply'),
    'period': ('', 'ksef_period_start'),
    'group_totals': ('', 'amount_tax'),
    'exchange_rate': ('', 'invoice_currency_rate'),
    'currency': ('', 'currency_id'),
    'annotations': ('', 'partner_id'),
    'annotations.exemption': ('', 'ksef_exemption_basis'),
    'annotations.split_payment': ('', 'ksef_split_payment'),
    'correction': ('', 'reversed_entry_id'),
    'correction.reason': ('', 'ksef_correction_reason'),
    'correction.period': ('', 'ksef_corrected_period'),
    'correction.effect': ('', 'ksef_correction_type'),
    'advance_invoices': ('', 'ksef_advance_ids'),
    'order': ('', 'ksef_order_line_ids'),
    'total': ('', 'amount_total'),
    'lines': ('', 'invoice_line_ids'),
    'remarks': ('', 'invoice_line_ids'),
    'seller': ('company_id', 'name'),
    'seller.nip': ('company_id', 'vat'),
    'seller.address': ('company_id', 'street'),
    'seller.address.line_2': ('company_id', 'city'),
    'seller.address.country': ('company_id', 'country_id'),
    'seller.eori': ('company_id.partner_id', 'ksef_eori'),
    'footer': ('company_id', 'ksef_footer'),
    'footer.registers.krs': ('company_id', 'ksef_krs'),
    'footer.registers.regon': ('company_id', 'ksef_regon'),
    'footer.registers.bdo': ('company_id', 'ksef_bdo'),
    'third_parties': ('', 'ksef_third_party_ids'),
    'warehouse_documents': ('', 'ksef_warehouse_documents'),
    'transaction.contracts': ('', 'ksef_contract_number'),
    'transaction.transports': ('', 'ksef_transport_ids'),
    'transaction.batches': ('', 'ksef_batches'),
    'transaction.delivery_terms': ('', 'incoterm_location'),
    'transaction.agreed_rate': ('', 'ksef_agreed_rate'),
    'authorized_party': ('', 'ksef_authorized_partner_id'),
    'attachment': ('', 'ksef_block_ids'),
    'annotations.new_transport': ('', 'ksef_vehicle_ids'),
    'issue_place': ('company_id', 'ksef_issue_place'),
    'correction.right_number': ('', 'ksef_right_number'),
    'correction.previous': ('', 'amount_total'),
    'partial_advances': ('', 'ksef_payment_ids'),
    'payment.instalments': ('', 'ksef_payment_ids'),
    'payment.link': ('', 'ksef_payment_link'),
    'payment.ksef_payment_id': ('', 'ksef_payment_id'),
    'payment.other_form': ('', 'ksef_payment_form_other'),
    'transaction.orders': ('', 'ksef_order_number'),
    'payment.paid_on': ('', 'ksef_paid_on'),
    'payment.form': ('', 'ksef_payment_form'),
    'settlement': ('', 'ksef_charge_ids'),
    'buyer.eori': ('commercial_partner_id', 'ksef_eori'),
    'buyer.customer_number': ('commercial_partner_id', 'ksef_customer_number'),
    'seller.contacts': ('company_id', 'email'),
    'buyer': ('commercial_partner_id', 'name'),
    'buyer.identifier': ('commercial_partner_id', 'vat'),
    'buyer.address': ('commercial_partner_id', 'street'),
    'buyer.address.line_2': ('commercial_partner_id', 'city'),
    'buyer.address.country': ('commercial_partner_id', 'country_id'),
    'buyer.contacts': ('partner_id', 'email'),
    'lines.name': ('line', 'name'),
    'lines.unit': ('line', 'product_uom_id'),
    'lines.quantity': ('line', 'quantity'),
    'lines.unit_price': ('line', 'price_unit'),
    'lines.gross_unit_price': ('line', 'price_unit'),
    'lines.discount': ('line', 'discount'),
    'lines.net': ('line', 'price_subtotal'),
    'lines.gross': ('line', 'price_total'),
    'lines.tax': ('line', 'price_total'),
    'lines.rate': ('line', 'tax_ids'),
    'lines.goods_code': ('line', 'product_id'),
    'lines.procedure': ('line', 'ksef_procedure'),
    'lines.supply_date': ('line', 'ksef_supply_date'),
    'remarks.value': ('remark', 'name'),
    'remarks.key': ('remark', 'name'),
    'payment.terms': ('', 'invoice_date_due'),
    'payment.accounts': ('partner_bank_id', 'acc_number'),
    'payment.accounts.swift': ('partner_bank_id', 'bank_id'),
    'payment.accounts.bank_name': ('partner_bank_id', 'bank_id'),
}
REMEDIES = {'issue-date-past': 'set_today', 'issue-date-future': 'set_today'}


@dataclasses.dataclass(slots=True)
class Issue:
    """A finding with its record: severity, code of the text, record and field to mend, values for the text.

    ``line`` is the journal item that it concerns, when that isn't the record to mend.
    """

    severity: str
    code: str
    record: Any
    field: str
    values: dict = dataclasses.field(default_factory=dict)
    line: Any = None

    @classmethod
    def error(cls, code: str, record, field_name: str, line=None, **values) -> 'Issue':
        """Return an issue that forbids sending."""
        return cls(ERROR, code, record, field_name, values, line)

    @classmethod
    def warning(cls, code: str, record, field_name: str, line=None, **values) -> 'Issue':
        """Return an issue that a person has to confirm."""
        return cls(WARNING, code, record, field_name, values, line)


@dataclasses.dataclass(slots=True)
class Origin:
    """Where the parts of a rendered invoice come from: journal items of its lines and remarks, field of its date."""

    lines: list
    remarks: list
    supply_field: str


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_issue_of(self, finding: Finding, origin: Origin) -> Issue:
        """Return the record and field behind a finding about the rendered invoice."""
        record, field_name = self._ksef_origin_of(finding.path, origin)
        values = {**finding.values, 'message': finding.message}
        code = f'{finding.code}:{finding.path}'
        return Issue(finding.severity, code if code in TEXTS else finding.code, record, field_name, values)

    def _ksef_origin_of(self, path: str, origin: Origin) -> tuple:
        index = int(found[1]) if (found := re.search(r'\[(\d+)\]', path)) else None
        plain = re.sub(r'\[\d+\]', '', path)
        while plain and plain not in FIELDS:
            plain = plain.rpartition('.')[0]
        source, field_name = FIELDS.get(plain, ('', 'name'))
        items = {'line': origin.lines, 'remark': origin.remarks}.get(source)
        if items is not None:
            record = items[index]
            return record, field_name if field_name in record._fields else 'value'
        record = self.mapped(source) if source else self
        return record, origin.supply_field if field_name == 'supply' else field_name

    def _ksef_issue_dict(self, issue: Issue, entry: Entry) -> dict:
        """Return an issue as it is stored with a document and shown to users."""
        return {
            'severity': issue.severity,
            'code': issue.code.partition(':')[0],
            'field': self._ksef_field_label(issue, entry),
            'message': self._ksef_issue_text(issue),
            'value': self._ksef_issue_value(issue),
            'res_model': issue.record._name,
            'res_id': issue.record.id,
            'remedy': REMEDIES.get(issue.code),
        }

    def _ksef_issue_text(self, issue: Issue) -> str:
        text = self.env._(TEXTS.get(issue.code, FAULT))
        return text % {'message': issue.code, **issue.values}

    def _ksef_field_label(self, issue: Issue, entry: Entry) -> str:
        """Return the field's label; of a line with its number and name, of another record with that record's name."""
        record = issue.record
        label = record._fields[issue.field].get_description(self.env, ['string'])['string']
        item = issue.line if issue.line is not None else record
        if item._name == 'account.move.line':
            return self.env._(
                "Line %(number)s (%(name)s): %(label)s", number=self._ksef_line_number(item, entry),
                name=(item.name or item.product_id.display_name or '')[:40].strip(), label=label)
        if record != self:
            return self.env._("%(record)s: %(label)s", record=record.display_name, label=label)
        return label

    def _ksef_line_number(self, item, entry: Entry) -> int:
        """Return the number that a product line has, or of the product that another item stands at."""
        before = 0
        for shown in entry.shown:
            before += shown.display_type == 'product'
            if shown == item:
                break
        return max(before, 1)

    def _ksef_issue_value(self, issue: Issue) -> str:
        """Return what stands in the field now."""
        value = issue.values.get('value')
        if value is None:
            value = issue.record[issue.field]
        if isinstance(value, models.BaseModel):
            value = ', '.join(filter(None, value.mapped('display_name')))
        return '' if value is False or value is None else str(value)
