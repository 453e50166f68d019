"""Technical correction (korekta techniczna): an invoice issued offline that KSeF rejected goes again, with the same content."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..ksef.errors import InvoiceStatus
from ..ksef.fa3 import reader
from ..ksef.fa3.document import ReadProblem

# KSeF refused the sender, not the file: once the right is there, the same bytes go again.
RIGHTS_CODES = (InvoiceStatus.WRONG_PERMISSIONS, InvoiceStatus.ATTACHMENT_NOT_ALLOWED)


class AccountMove(models.Model):
    _inherit = 'account.move'

    ksef_can_correct_technically = fields.Boolean(compute='_compute_ksef_technical')

    @api.depends('ksef_state', 'state', 'ksef_document_id')
    @api.depends_context('uid')
    def _compute_ksef_technical(self):
        for move in self:
            move.ksef_can_correct_technically = bool(move.ksef_can_send and move._ksef_rejected_offline())

    def _ksef_rejected_offline(self):
        """The rejected document of an invoice that was issued offline; empty when there is none."""
        document = self.sudo().ksef_document_id
        return document.filtered(lambda one: one.state == 'rejected' and one._is_offline())

    def action_ksef_technical_correction(self):
        """Send what was issued offline and rejected again: the same bytes where KSeF lacked a right, else corrected technically.

        :raise UserError: the content is no longer what the buyer has, or KSeF would refuse it again
        """
        self._ksef_check_sender()
        self.check_access('write')
        for move in self.sudo():
            move._ksef_correct_technically()
        self.env['ksef.worker']._trigger_workers()

    def _ksef_correct_technically(self):
        self.ensure_one()
        rejected = self._ksef_rejected_offline()
        if not rejected:
            raise UserError(self.env._(
                "%(invoice)s: a technical correction is for invoices that were issued offline and rejected by KSeF.",
                invoice=self.display_name))
        if rejected.status_code == InvoiceStatus.DUPLICATE:
            raise UserError(self.env._(
                "KSeF has another invoice with the number %(number)s, and a technical correction cannot change the number. Look at the "
                "other invoice first: the message on this invoice says what can be done.", number=self.name))
        self.with_context(ksef_technical=True)._ksef_check_pickable()
        if rejected.status_code in RIGHTS_CODES:
            document = self._ksef_same_bytes(rejected)
        else:
            document = self._ksef_corrected_bytes(rejected)
        document._sync_moves()

    def _ksef_same_bytes(self, rejected):
        """Another row with the bytes that the printed codes speak of."""
        rendered = self.with_context(lang=self.env.user.lang)._ksef_render_batch()[self]
        self._ksef_check_same_content(rejected, rendered.xml)
        document = self.env['ksef.document'].create(self._ksef_technical_values(rejected) | {
            name: rejected[name] for name in (
                'xml_hash', 'xml_size', 'invoice_number', 'invoice_kind', 'seller_nip', 'issue_date', 'certificate_url',
                'certificate_serial', 'issued_offline_at', 'hash_of_corrected')} | {
            'xml': rejected.with_context(bin_size=False, bin_size_xml=False).xml})
        document._transition('queued', due_at=fields.Datetime.now())
        document._count_deadline()
        return document

    def _ksef_corrected_bytes(self, rejected):
        """Another row, rendered anew, that names the hash of the rejected one; of several attempts the first, which was printed."""
        document = self.env['ksef.document'].create(self._ksef_technical_values(rejected) | {
            'hash_of_corrected': rejected.hash_of_corrected or rejected.xml_hash})
        document._queue()
        if document.state != 'queued':
            raise UserError(self.env._(
                "The invoice must be corrected first: %(findings)s", findings=document._findings_text()))
        self._ksef_check_same_content(rejected, document._get_xml())
        if document.xml_hash == rejected.xml_hash:
            raise UserError(self.env._(
                "Nothing has changed since KSeF rejected the invoice, so it would reject it again. Mend what its answer names first."))
        return document

    def _ksef_technical_values(self, rejected):
        return {
            'move_id': self.id, 'company_id': self.company_id.id, 'connection_id': rejected.connection_id.id,
            'invoice_number': self.name, 'user_id': self.env.uid, 'late_confirmed': True, 'mode': rejected.mode}

    @api.model
    def _ksef_check_same_content(self, rejected, xml):
        """A technical correction doesn't change what was invoiced; texts may change, because KSeF refuses signs in them.

        :raise UserError: it is another invoice
        """
        try:
            before, after = reader.read(rejected._get_xml()), reader.read(xml)
        except (ReadProblem, TypeError):
            raise UserError(self.env._(
                "The rejected file cannot be compared with the invoice as it is now, so no technical correction is made. Ask your "
                "administrator to look at both files.")) from None
        changed = [label for label, value in self._ksef_essentials() if value(before) != value(after)]
        if changed:
            raise UserError(self.env._(
                "A technical correction must not change the content of the invoice that the buyer has. Changed: %(changed)s. Set it back; "
                "the content itself is corrected by a credit note after the invoice has its KSeF number.", changed=", ".join(changed)))

    @api.model
    def _ksef_essentials(self):
        """What must stay: [(label, function of an ``ksef.fa3.model.Invoice``)]."""
        return [
            (self.env._("number"), lambda invoice: invoice.number),
            (self.env._("issue date"), lambda invoice: invoice.issue_date),
            (self.env._("kind"), lambda invoice: invoice.kind),
            (self.env._("seller"), lambda invoice: invoice.seller.nip),
            (self.env._("buyer"), lambda invoice: invoice.buyer.identifier),
            (self.env._("currency"), lambda invoice: invoice.currency),
            (self.env._("amounts"), lambda invoice: (invoice.total, invoice.group_totals)),
            (self.env._("lines"), lambda invoice: [
                (line.quantity, line.unit_price, line.gross_unit_price, line.discount, line.net, line.gross, line.rate)
                for line in invoice.lines]),
        ]

    def _ksef_check_pickable(self):
        """The printed codes of what was issued offline lead to its bytes: only a technical correction takes their place."""
        super()._ksef_check_pickable()
        if self.env.context.get('ksef_technical'):
            return
        rejected = self.filtered(lambda move: move._ksef_rejected_offline())
        if rejected:
            raise UserError(self.env._(
                "Issued offline and rejected by KSeF: %(invoices)s. Use the button “Technical correction” on the invoice, so that the QR "
                "codes that the buyer has lead to it.", invoices=", ".join(rejected.mapped('display_name'))))

    @api.depends('ksef_document_id')
    def _compute_ksef_buttons(self):
        super()._compute_ksef_buttons()
        for move in self:
            move.ksef_can_set_today = move.ksef_can_set_today and not move._ksef_rejected_offline()
