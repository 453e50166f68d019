"""What an invoice says of its transaction: references, transport, delivery, lots, vehicles, authorised party."""

from odoo import fields, models

from ..ksef.fa3.codes import AuthorizedRole
from ..ksef.fa3.lexical import QUANTITY
from ..ksef.fa3.model import AgreedRate, AuthorizedParty, NewTransport, Reference, Transaction
from ..ksef.fa3.text import collapse
from .ksef_dates import warsaw_date
from .ksef_invoice_findings import Issue
from .ksef_invoice_lines import decimal_number
from .ksef_invoice_party import address_of, contacts_of, correspondence_of, polish_number
from .ksef_render_memo import once

MOST_NUMBERS = 1000  # WZ, NrPartiiTowaru


def numbers_in(text: str | None) -> tuple[str, ...]:
    """Return the numbers of a text with one a line, each once."""
    return tuple(dict.fromkeys(filter(None, map(collapse, (text or '').splitlines()))))


def _stated(numbers: tuple[str, ...]) -> tuple[str, ...]:
    """Return numbers that Odoo knows, none when they are more than the schema takes: a part of them would mislead."""
    return numbers if len(numbers) <= MOST_NUMBERS else ()


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_transaction(self) -> Transaction | None:
        """Return contract, orders, lots, terms of delivery and transport; ``None`` when nothing is known of them."""
        transaction = Transaction(
            contracts=(*self._ksef_references(self.ksef_contract_number, self.ksef_contract_date), *self._ksef_further('contract')),
            orders=self._ksef_orders(),
            batches=numbers_in(self.ksef_batches) or _stated(self._ksef_lots()),
            delivery_terms=collapse(f'{self.invoice_incoterm_id.code or ""} {self.incoterm_location or ""}') or None,
            agreed_rate=self._ksef_agreed_rate(),
            transports=tuple(transport._ksef_part() for transport in self.ksef_transport_ids),
            intermediary=self.ksef_is_intermediary,
        )
        return None if transaction == Transaction() else transaction

    def _ksef_references(self, number: str | None, day) -> tuple[Reference, ...]:
        number = collapse(number) or None
        return (Reference(day=day or None, number=number),) if number or day else ()

    def _ksef_further(self, kind: str) -> tuple[Reference, ...]:
        """Return the contracts or orders beyond the first one."""
        return tuple(
            Reference(day=row.date or None, number=collapse(row.number) or None) for row in self.ksef_reference_ids if row.kind == kind)

    def _ksef_agreed_rate(self) -> AgreedRate | None:
        if not self.ksef_agreed_rate:
            return None
        return AgreedRate(rate=decimal_number(self.ksef_agreed_rate, QUANTITY.places), currency=self.ksef_agreed_currency_id.name)

    # ------------------------------------------------------------------ sales orders and deliveries, where they are in Odoo

    def _ksef_orders(self) -> tuple[Reference, ...]:
        """Return the orders that were entered, else the sales orders: by the buyer's number, or by our own."""
        entered = (*self._ksef_references(self.ksef_order_number, self.ksef_order_date), *self._ksef_further('order'))
        if entered or 'sale_line_ids' not in self.line_ids._fields:
            return entered
        orders = self.sudo().line_ids.sale_line_ids.order_id.sorted('id')
        return tuple(
            Reference(
                day=fields.Datetime.context_timestamp(self.with_context(tz='Europe/Warsaw'), order.date_order).date(),
                number=collapse(order.client_order_ref or order.name))
            for order in orders)

    def _ksef_deliveries(self):
        """Return the stock moves with which the invoiced goods have left, ``None`` where Odoo keeps no stock."""
        if 'sale_line_ids' not in self.line_ids._fields or 'move_ids' not in self.line_ids.sale_line_ids._fields:
            return None
        lines = self.sudo().line_ids.sale_line_ids
        earlier = lines.invoice_lines.move_id.filtered(
            lambda move: move.state == 'posted' and move.move_type == 'out_invoice' and not move._is_downpayment() and move.id < self.id
            and move.payment_state != 'reversed')
        since = max(earlier.mapped('create_date'), default=None)  # what was delivered before is on an earlier invoice
        # What leaves after the day of issue belongs to a later one; what a supplier delivers leaves no warehouse of the seller.
        until = self.invoice_date or self._ksef_today()
        return lines.move_ids.filtered(
            lambda move: move.state == 'done' and move.location_dest_usage == 'customer' and move.location_usage != 'supplier'
            and not (since and move.date <= since) and warsaw_date(move.date) <= until)

    def _ksef_warehouse_documents(self) -> tuple[str, ...]:
        """Return the numbers of delivery notes (WZ): as entered, else of the deliveries in Odoo."""
        return numbers_in(self.ksef_warehouse_documents) or _stated(self._ksef_delivery_notes())

    @once
    def _ksef_delivery_notes(self) -> tuple[str, ...]:
        moves = None if self._ksef_is_correction() else self._ksef_deliveries()
        return numbers_in('\n'.join(moves.picking_id.sorted('id').mapped('name'))) if moves else ()

    @once
    def _ksef_lots(self) -> tuple[str, ...]:
        moves = None if self._ksef_is_correction() else self._ksef_deliveries()
        return numbers_in('\n'.join(moves.move_line_ids.lot_id.sorted('id').mapped('name'))) if moves else ()

    # ------------------------------------------------------------------ new means of transport, authorised party

    def _ksef_new_transport(self) -> NewTransport | None:
        """Return the new means of transport on the invoice."""
        vehicles = self.ksef_vehicle_ids
        if not vehicles:
            return None
        numbers = self._ksef_root()._ksef_line_numbers()
        return NewTransport(
            vehicles=tuple(vehicle._ksef_part(numbers) for vehicle in vehicles), declaration_duty=self.ksef_vehicle_duty)

    def _ksef_authorized_party(self) -> AuthorizedParty | None:
        """Return who issues the invoice in enforcement, or represents the seller before the tax office."""
        partner = self.ksef_authorized_partner_id
        if not partner:
            return None
        return AuthorizedParty(
            nip=polish_number(partner.vat), name=collapse(partner.name), address=address_of(partner),
            role=AuthorizedRole(self.ksef_authorized_role), eori=collapse(partner.ksef_eori) or None,
            correspondence_address=correspondence_of(partner), contacts=contacts_of(partner))

    def _ksef_trade_issues(self) -> list[Issue]:
        """Return what is missing for transport and authorised party."""
        issues = self.ksef_transport_ids._ksef_issues()
        for field, names in (('ksef_batches', self._ksef_lots), ('ksef_warehouse_documents', self._ksef_delivery_notes)):
            if not numbers_in(self[field]) and (count := len(names())) > MOST_NUMBERS:
                issues.append(Issue.warning('numbers-many', self, field, value=str(count), limit=str(MOST_NUMBERS)))
        partner = self.ksef_authorized_partner_id
        if partner and not polish_number(partner.vat):
            issues.append(Issue.error('authorized-nip', partner, 'vat', value=partner.display_name))
        if partner and not address_of(partner):
            issues.append(Issue.error('transport-address', partner, 'city', value=partner.display_name))
        return issues
