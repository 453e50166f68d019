import re

from odoo import api, models


class KsefBill(models.AbstractModel):
    """Bills that were entered before their KSeF invoice came: by hand, by mail, by OCR."""
    _inherit = 'ksef.bill'

    @api.model
    def _find_duplicates(self, company, received, invoice):
        """Bills that may be this invoice, surest first, and not those of another KSeF invoice.

        The same supplier and number (letters and digits alone count), or the same supplier, date and amount.
        """
        nip = str(invoice.seller.nip)
        moves = self.env['account.move'].sudo().search([
            ('company_id', '=', company.id), ('move_type', 'in', ('in_invoice', 'in_refund', 'in_receipt')), ('state', '!=', 'cancel'),
            ('partner_id.commercial_partner_id.vat', 'in', [nip, f'PL{nip}', f'PL {nip}']),
            '|', ('invoice_date', '=', str(invoice.issue_date)), ('ref', '!=', False),
        ], order='id desc')
        taken = self.env['ksef.received'].sudo().search([('move_id', 'in', moves.ids), ('id', '!=', received.id)]).move_id
        moves -= taken
        same_number = moves.filtered(lambda move: self._plain_number(move.ref) == self._plain_number(invoice.number))
        same_amount = moves.filtered(lambda move: (
            str(move.invoice_date) == str(invoice.issue_date) and abs(move.amount_total - abs(float(invoice.total))) < 0.005
            and (not move.ref or self._plain_number(move.ref) in self._plain_number(invoice.number))))
        return same_number | same_amount

    @api.model
    def _plain_number(self, number):
        return re.sub(r'\W|_', '', str(number or '')).casefold()
