from datetime import UTC

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..ksef.fa3.codes import Cargo, TransportKind
from ..ksef.fa3.model import Aircraft, Carrier, LandVehicle, NewVehicle, Transport, Vessel
from ..ksef.fa3.text import collapse
from .ksef_invoice_findings import Issue
from .ksef_invoice_party import address_of, buyer_identifier

PAYMENT_FORMS = [
    ('1', "Cash"), ('2', "Card"), ('3', "Voucher"), ('4', "Cheque"), ('5', "Credit"), ('6', "Bank transfer"), ('7', "Mobile"),
    ('other', "Other"),
]
TRANSPORTS = [
    ('1', "Sea"), ('2', "Rail"), ('3', "Road"), ('4', "Air"), ('5', "Post"), ('7', "Fixed installations (pipeline)"),
    ('8', "Inland waterway"), ('other', "Other"),
]
CARGOES = [
    ('1', "Churn"), ('2', "Barrel"), ('3', "Cylinder"), ('4', "Carton"), ('5', "Canister"), ('6', "Cage"), ('7', "Container"),
    ('8', "Basket"), ('9', "Punnet"), ('10', "Multipack"), ('11', "Parcel"), ('12', "Package"), ('13', "Pallet"), ('14', "Receptacle"),
    ('15', "Container for solid bulk"), ('16', "Container for liquid bulk"), ('17', "Box"), ('18', "Tin"), ('19', "Chest"),
    ('20', "Sack"), ('other', "Other, or mixed"),
]


class KsefInvoicePayment(models.Model):
    """A payment received before the invoice was issued: of an advance what it documents, of others what is paid already."""
    _name = 'ksef.invoice.payment'
    _inherit = 'ksef.invoice.part'
    _description = "Payment stated on an invoice"
    _rec_name = 'date'
    _order = 'date, id'

    date = fields.Date(string="Received on", required=True, help="Data zapłaty; of an advance the day on which it was received.")
    amount = fields.Monetary(required=True, help="Kwota zapłaty, in the invoice's currency.")
    currency_id = fields.Many2one(related='move_id.currency_id')
    form = fields.Selection(PAYMENT_FORMS, string="Form of payment", help="Forma płatności.")
    other_form = fields.Char(string="Other form", size=256, help="Opis płatności, for another form than those of the list.")
    exchange_rate = fields.Float(
        string="PLN for a unit", digits=(16, 6),
        help="Kurs waluty of this payment, on advance invoices in another currency with payments of several days.")

    @api.constrains('form', 'other_form')
    def _check_form(self):
        for payment in self:
            if payment.form == 'other' and not (payment.other_form or '').strip():
                raise ValidationError(self.env._("Say in words how the payment of %(date)s was made.", date=payment.date))


class KsefInvoiceCharge(models.Model):
    """What is added to, or taken off, the amount to pay without being part of the sale (Rozliczenie)."""
    _name = 'ksef.invoice.charge'
    _inherit = 'ksef.invoice.part'
    _description = "Charge or deduction without VAT"
    _rec_name = 'reason'

    kind = fields.Selection(
        [('charge', "Charge"), ('deduction', "Deduction")], required=True, default='charge',
        help="Obciążenie: added to the amount to pay. Odliczenie: taken off it.")
    amount = fields.Monetary(required=True)
    currency_id = fields.Many2one(related='move_id.currency_id')
    reason = fields.Char(required=True, size=256, help="Powód, such as a deposit for packaging (kaucja).")

    @api.constrains('amount')
    def _check_amount(self):
        for charge in self:
            if charge.amount <= 0:
                raise ValidationError(self.env._("Enter the amount of “%(reason)s” without a sign.", reason=charge.reason))


class KsefInvoiceTransport(models.Model):
    """How the goods of an invoice are carried (Transport)."""
    _name = 'ksef.invoice.transport'
    _inherit = 'ksef.invoice.part'
    _description = "Transport of an invoice"
    _rec_name = 'kind'

    kind = fields.Selection(TRANSPORTS, string="Transport", required=True, default='3', help="Rodzaj transportu.")
    other_kind = fields.Char(string="Other transport", size=50, help="Opis innego transportu.")
    carrier_id = fields.Many2one('res.partner', ondelete='restrict', help="Przewoźnik.")
    order_number = fields.Char(string="Transport order", size=256, help="Numer zlecenia transportu.")
    cargo = fields.Selection(CARGOES, string="Load", required=True, default='13', help="Rodzaj ładunku.")
    other_cargo = fields.Char(string="Other load", size=50, help="Opis innego ładunku, also of a mixed one.")
    packaging = fields.Char(string="Unit of packaging", size=256, help="Jednostka opakowania.")
    started_at = fields.Datetime(string="Started", help="Data i godzina rozpoczęcia transportu.")
    ended_at = fields.Datetime(string="Ended", help="Data i godzina zakończenia transportu.")
    origin_id = fields.Many2one('res.partner', string="From", ondelete='restrict', help="Adres miejsca wysyłki.")
    stop_ids = fields.Many2many('res.partner', string="Via", help="Adresy pośrednie.")
    destination_id = fields.Many2one('res.partner', string="To", ondelete='restrict', help="Adres miejsca docelowego.")

    @api.constrains('kind', 'other_kind', 'cargo', 'other_cargo')
    def _check_others(self):
        for transport in self:
            if transport.kind == 'other' and not (transport.other_kind or '').strip():
                raise ValidationError(self.env._("Say in words which transport it is."))
            if transport.cargo == 'other' and not (transport.other_cargo or '').strip():
                raise ValidationError(self.env._("Say in words which load is carried."))

    def _ksef_issues(self) -> list[Issue]:
        """Return which places have no address."""
        return [
            Issue.error('transport-address', partner, 'city', value=partner.display_name)
            for transport in self
            for partner in (transport.carrier_id | transport.origin_id | transport.stop_ids | transport.destination_id)
            if not address_of(partner)]

    def _ksef_part(self) -> Transport:
        carrier = self.carrier_id
        return Transport(
            kind=None if self.kind == 'other' else TransportKind(self.kind),
            other_kind=collapse(self.other_kind) or None if self.kind == 'other' else None,
            carrier=Carrier(
                identifier=buyer_identifier(carrier.vat or '/', carrier.country_id.code or None, carrier.is_company),
                name=collapse(carrier.name) or None, address=address_of(carrier)) if carrier else None,
            order_number=collapse(self.order_number) or None,
            cargo=None if self.cargo == 'other' else Cargo(self.cargo),
            other_cargo=collapse(self.other_cargo) or None if self.cargo == 'other' else None,
            packaging=collapse(self.packaging) or None,
            started_at=self.started_at.replace(tzinfo=UTC) if self.started_at else None,
            ended_at=self.ended_at.replace(tzinfo=UTC) if self.ended_at else None,
            origin=address_of(self.origin_id) if self.origin_id else None,
            stops=tuple(filter(None, map(address_of, self.stop_ids))),
            destination=address_of(self.destination_id) if self.destination_id else None,
        )


class KsefNewVehicle(models.Model):
    """A new means of transport that is supplied into another EU country (art. 2 pkt 10, art. 106e ust. 1 pkt 22)."""
    _name = 'ksef.new.vehicle'
    _inherit = 'ksef.invoice.part'
    _description = "New means of transport"
    _rec_name = 'admitted_on'

    line_id = fields.Many2one(
        'account.move.line', string="Invoice line", required=True, ondelete='cascade', index=True,
        domain="[('move_id', '=', move_id), ('display_type', '=', 'product')]")
    kind = fields.Selection(
        [('land', "Land vehicle"), ('water', "Vessel"), ('air', "Aircraft")], required=True, default='land',
        help="Pojazd lądowy, jednostka pływająca, statek powietrzny.")
    admitted_on = fields.Date(string="Admitted to use on", required=True, help="Data dopuszczenia do użytku (P_22A).")
    usage = fields.Char(
        string="Mileage or hours", size=256, required=True,
        help="Przebieg pojazdu (P_22B); of vessels and aircraft the hours of use (P_22C, P_22D).")
    number_kind = fields.Selection(
        [('vin', "VIN"), ('body_number', "Body"), ('chassis_number', "Chassis"), ('frame_number', "Frame")],
        default='vin', help="Numer VIN, nadwozia, podwozia or ramy, of land vehicles.")
    number = fields.Char(size=256, help="Number of the kind beside; of a vessel its hull's, of an aircraft its factory number.")
    type_name = fields.Char(string="Type", size=256, help="Typ pojazdu lądowego (P_22BT).")
    make = fields.Char(size=256, help="Marka (P_22BMK).")
    model_name = fields.Char(string="Model", size=256, help="Model (P_22BMD).")
    colour = fields.Char(size=256, help="Kolor (P_22BK).")
    registration = fields.Char(size=256, help="Numer rejestracyjny (P_22BNR).")
    year = fields.Char(size=4, help="Rok produkcji (P_22BRP).")

    @api.constrains('line_id', 'move_id')
    def _check_line(self):
        for vehicle in self:
            if vehicle.line_id.move_id != vehicle.move_id:
                raise ValidationError(self.env._("The line of a new means of transport must be one of the same invoice."))

    def _ksef_part(self, numbers: dict) -> NewVehicle:
        """Return the vehicle.

        :param numbers: of the lines of the invoice
        """
        return NewVehicle(
            admitted=self.admitted_on, line_number=numbers.get(self.line_id.ksef_corrected_line_id or self.line_id),
            make=collapse(self.make) or None, model=collapse(self.model_name) or None, colour=collapse(self.colour) or None,
            registration=collapse(self.registration) or None, year=collapse(self.year) or None, details=self._ksef_details())

    def _ksef_details(self) -> LandVehicle | Vessel | Aircraft:
        usage, number = collapse(self.usage), collapse(self.number) or None
        if self.kind == 'water':
            return Vessel(hours=usage, hull_number=number)
        if self.kind == 'air':
            return Aircraft(hours=usage, factory_number=number)
        numbered = {self.number_kind: number} if number and self.number_kind else {}
        return LandVehicle(mileage=usage, kind=collapse(self.type_name) or None, **numbered)
