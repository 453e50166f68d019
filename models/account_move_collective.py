from odoo import fields, models
from odoo.exceptions import UserError

from .ksef_collective import MOST_BILLS

# Characters in the title of a Polish transfer: four lines of 35.
TITLE_LENGTH = 140


class AccountMove(models.Model):
    """What stands in the title of the transfer that pays a vendor's invoice: its KSeF number, or a collective identifier."""
    _inherit = 'account.move'

    ksef_collective_ids = fields.Many2many(
        'ksef.collective', 'ksef_collective_move_rel', 'move_id', 'collective_id', string="Collective identifiers", readonly=True,
        copy=False, groups='l10n_pl_ksef.group_ksef_read',
        help="Identyfikatory zbiorcze: titles of transfers that pay this bill together with others of the same seller.")

    def _ksef_number_to_pay(self):
        """KSeF number of the vendor's invoice (text), or False; one that was only tried (TEST, DEMO) doesn't count in production."""
        self.ensure_one()
        move = self.sudo()
        if not move.is_purchase_document():
            return False
        environments = ('production', move.company_id.ksef_connection_id.environment)
        received = move.ksef_received_ids.filtered(lambda one: one.environment in environments)
        return received[:1].ksef_number or move.ksef_number or move.ksef_outside_number or False

    def _ksef_transfer_title(self, label):
        """``label`` with the KSeF number of the bill; where both are too long for a transfer, the KSeF number alone."""
        number = self._ksef_number_to_pay()
        title = label if not number or number in (label or '') else " ".join(filter(None, [label, number]))
        return number if number and len(title) > TITLE_LENGTH else title

    # ------------------------------------------------------------------ collective identifiers

    def _ksef_collective_refusal(self):
        """Why KSeF gives no collective identifier for these bills, as a sentence that says what to do; or False."""
        other = self.filtered(lambda move: not move.is_purchase_document())
        if other or not self:
            return self.env._("A collective identifier is for vendor bills and refunds: select those that you want to pay together.")
        if len(self) < 2:
            return self.env._(
                "A collective identifier is for two bills or more. For one bill the KSeF number stands in the title of the transfer.")
        numbers = {move: move._ksef_number_to_pay() for move in self}
        without = self.filtered(lambda move: not numbers[move])
        if without:
            return self.env._(
                "These bills have no KSeF number, so no collective identifier can cover them: %(bills)s. Leave them out and pay them "
                "apart.", bills=", ".join(move.ref or move.display_name for move in without))
        if len(set(numbers.values())) < len(self):
            twice = self.filtered(lambda move: list(numbers.values()).count(numbers[move]) > 1)
            return self.env._(
                "These bills have the same KSeF number: %(bills)s. Check them; one may be entered twice.",
                bills=", ".join(move.ref or move.display_name for move in twice))
        return self._ksef_other_sellers(numbers) or self._ksef_no_connection() or self._ksef_too_many()

    def _ksef_other_sellers(self, numbers):
        # A KSeF number begins with the NIP of the seller.
        by_seller = self.grouped(lambda move: numbers[move][:10])
        return len(by_seller) > 1 and self.env._(
            "A collective identifier is for invoices of one seller. These are of several: %(sellers)s. Select the bills of one of them.",
            sellers=", ".join(f"{moves[0].commercial_partner_id.name} (NIP {nip})" for nip, moves in by_seller.items()))

    def _ksef_no_connection(self):
        connections = self.company_id.sudo().ksef_connection_id
        if len(connections) > 1:
            return self.env._("These bills belong to companies with different connections to KSeF. Select the bills of one company.")
        for company in self.company_id:
            connection = company._ksef_connection()
            if not connection or connection.state == 'neutralised':
                return company._ksef_unconnected_text()
        foreign = self.sudo().ksef_received_ids.filtered(lambda one: one.environment != connections.environment)
        return bool(foreign) and self.env._(
            "These bills come from another environment of KSeF than the one that the company is connected to now: %(bills)s.",
            bills=", ".join(one.invoice_number or one.ksef_number for one in foreign))

    def _ksef_too_many(self):
        most = self.company_id[:1]._ksef_connection().collective_most or MOST_BILLS
        return len(self) > most and self.env._(
            "KSeF takes at most %(most)s invoices in one collective identifier; these are %(count)s. Select fewer bills.",
            most=most, count=len(self))

    def _ksef_find_collective(self):
        """The identifier (sudo) that was given or asked for exactly these bills; empty when there is none."""
        collectives = self.env['ksef.collective']
        connection = self.company_id.sudo().ksef_connection_id
        numbers = [number for move in self if (number := move._ksef_number_to_pay())]
        if len(connection) != 1 or len(numbers) < max(len(self), 2):
            return collectives.sudo()
        return collectives._find(connection, numbers)

    def _ksef_ask_collective(self):
        """Ask KSeF for the identifier of these bills, in the background; return the ``ksef.collective``.

        :raise UserError: KSeF gives none for them; the sentence says what to do
        """
        self.env['ksef.collective']._check_payer()
        self.check_access('read')
        refusal = self._ksef_collective_refusal()
        # What KSeF has given stays good, whatever the connection or the limits are now.
        if refusal and not self._ksef_find_collective().number:
            raise UserError(refusal)
        return self.env['ksef.collective']._ask(
            self.company_id.sudo().ksef_connection_id, self, [move._ksef_number_to_pay() for move in self])

    def action_ksef_collective(self):
        """Ask KSeF for a collective identifier of the bills, and show what becomes of it."""
        return self._ksef_ask_collective()._get_form_action()
