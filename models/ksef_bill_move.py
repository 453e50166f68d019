from odoo import api, models
from odoo.exceptions import UserError

from ..ksef.crypto import sha256_b64
from ..ksef.fa3.document import DocumentKind, detect

FILE_TYPE = 'l10n_pl_ksef.fa3'
# Above the decoders of other modules: Odoo's own Polish module reads FA(3) too.
PRIORITY = 100


class KsefBill(models.AbstractModel):
    """Writing the bill, and its ties to other bills."""
    _inherit = 'ksef.bill'

    @api.model
    def _create(self, values, invoice, notes):
        """Make the draft and prove it."""
        company = self.env['res.company'].browse(values['company_id'])
        moves = self.env['account.move'].with_company(company).with_context(default_move_type=values['move_type'])
        move = moves.create(values)
        self._finish(move, invoice, notes)
        return move

    @api.model
    def _finish(self, move, invoice, notes):
        """Never into a closed period; sums proven; what a person must check is written down."""
        self._keep_out_of_closed_periods(move)
        notes = [*notes, *self._link_orders(move)]
        self._keep_notes(move, invoice, self._prove(move, invoice), notes)

    @api.model
    def _keep_out_of_closed_periods(self, move):
        if move._get_violated_lock_dates(move.date, True):
            move.date = move._get_accounting_date(move.date, True)

    @api.model
    def _find_original(self, invoice, company):
        """The bill of the invoice that a correction corrects, or nothing."""
        if not invoice.correction:
            return self.env['account.move']
        numbers = [str(item.ksef_number) for item in invoice.correction.invoices if item.ksef_number]
        found = self.env['ksef.received'].sudo().search([
            ('company_id', '=', company.id), ('ksef_number', 'in', numbers), ('move_id', '!=', False)], limit=1)
        if found:
            return found.move_id
        return self._find_entered(company, str(invoice.seller.nip), [str(item.number) for item in invoice.correction.invoices])

    @api.model
    def _link_original(self, move, invoice, company):
        """Tie a correction to its original, whichever of the two comes first."""
        original = self._find_original(invoice, company)
        if original and original != move:
            self._tie_correction(move, original)
        received = move.sudo().ksef_received_ids[:1]
        if invoice.correction:
            received.corrects = "\n".join(
                str(item.ksef_number) for item in invoice.correction.invoices if item.ksef_number) or False
        elif received:
            for earlier in self.env['ksef.received'].sudo().search([
                ('company_id', '=', company.id), ('corrects', 'like', received.ksef_number), ('move_id', '!=', False),
            ]):
                if not earlier.move_id.reversed_entry_id:
                    self._tie_correction(earlier.move_id, move)

    @api.model
    def _tie_correction(self, move, original):
        if move.move_type == 'in_refund' and original.move_type == 'in_invoice':
            move.reversed_entry_id = original
        move.message_post(body=self.env._("Corrects %(bill)s.", bill=original.ref or original.display_name))
        original.message_post(body=self.env._("Corrected by %(bill)s.", bill=move.ref or move.display_name))


class AccountMove(models.Model):
    """Bills and KSeF invoices: dropped and mailed files take the same way; what is learned; what is undone."""
    _inherit = 'account.move'

    def _get_import_file_type(self, file_data):
        """Recognise FA(3) by its content, before any other module."""
        if file_data.get('xml_tree') is not None and detect(file_data['raw']) is DocumentKind.FA3:
            return FILE_TYPE
        return super()._get_import_file_type(file_data)

    def _get_edi_decoder(self, file_data, new=False):
        if file_data['import_file_type'] == FILE_TYPE:
            return {'priority': PRIORITY, 'decoder': type(self)._ksef_decode}
        return super()._get_edi_decoder(file_data, new)

    def _ksef_decode(self, file_data, new=False):
        """Fill a bill from an FA(3) file; return why not, or None."""
        self.ensure_one()
        if self.move_type not in ('in_invoice', 'in_refund') or self.state != 'draft':
            return self.env._("An FA(3) invoice can only be read into a draft bill.")
        if self.invoice_line_ids:
            return self.env._("The bill has lines already.")
        bills = self.env['ksef.bill'].with_company(self.company_id)
        try:
            invoice = bills._read(file_data['raw'])
            values, notes = bills._values(self.company_id, invoice)
        except UserError as error:
            return str(error)
        except ArithmeticError:
            return self.env._("The amounts on the invoice are too large to be booked.")
        del values['company_id']
        if values['move_type'] == self.move_type:
            del values['move_type']
        self.write(values)
        bills._finish(self, invoice, notes)
        self._ksef_tie_received(file_data)
        return None

    def _ksef_tie_received(self, file_data):
        """The same invoice may have come from KSeF: then this is its bill."""
        digest = sha256_b64(file_data['raw'])
        received = self.env['ksef.received'].sudo().search([
            ('company_id', '=', self.company_id.id), ('xml_hash', '=', digest), ('state', 'in', ('stored', 'failed'))], limit=1)
        if received:
            received._lock()
            received._transition('imported', move_id=self.id, candidate_id=False)

    def _post(self, soft=True):
        """What the accountant decided on lines from KSeF is remembered for the next invoices and other drafts."""
        posted = super()._post(soft)
        lines = posted.filtered(lambda move: move.move_type in ('in_invoice', 'in_refund')).invoice_line_ids.filtered('ksef_source')
        if lines:
            rules = self.env['ksef.product.map']._learn(lines)
            if rules:
                drafts = self.env['account.move.line'].search([
                    ('parent_state', '=', 'draft'), ('ksef_source', '!=', False), ('product_id', '=', False),
                    ('company_id', 'in', rules.company_id.ids),
                    ('partner_id', 'child_of', rules.partner_id.ids)])
                drafts._ksef_apply_rules(rules)
        return posted

    def unlink(self):
        """A KSeF invoice whose bill is deleted waits for one again."""
        received = self.env['ksef.received'].sudo().search([('move_id', 'in', self.ids)])
        result = super().unlink()
        received._lock()
        received.filtered(lambda one: one.state in ('imported', 'linked'))._transition('stored', move_id=False)
        return result
