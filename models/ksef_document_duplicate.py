"""An invoice that KSeF refused because it has another one with its number: that one is fetched, shown and, if the same, adopted."""
import base64
import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..ksef.crypto import sha256_b64
from ..ksef.errors import InvoiceStatus, KsefError, KsefForbiddenError, KsefGoneError, KsefIntegrityError, KsefRefusedError
from ..ksef.fa3 import reader
from ..ksef.fa3.document import ReadProblem

_logger = logging.getLogger(__name__)
# Answers after which asking again is of no use: KSeF doesn't show this invoice to this company.
HIDDEN = (KsefRefusedError, KsefForbiddenError, KsefGoneError, KsefIntegrityError)
MOST_ATTEMPTS = 12


class KsefDocument(models.Model):
    _inherit = 'ksef.document'

    other_xml = fields.Binary(string="The other invoice", attachment=False, readonly=True, help="What KSeF has under the same number.")
    other_hash = fields.Char(readonly=True)
    other_state = fields.Selection(
        [('wanted', "Being fetched"), ('same', "The same sale"), ('different', "Another sale"), ('hidden', "Not shown by KSeF")],
        string="Other invoice", readonly=True)
    other_differences = fields.Char(readonly=True, help="In what the other invoice differs.")
    other_due_at = fields.Datetime(readonly=True)
    other_attempts = fields.Integer(readonly=True)

    _other_due = models.Index('(connection_id, other_due_at) WHERE other_due_at IS NOT NULL')

    def _transition(self, state, **values):
        """A rejected duplicate has the other invoice fetched."""
        if state == 'rejected' and values.get('status_code') == InvoiceStatus.DUPLICATE and values.get('original_ksef_number'):
            values = {'other_state': 'wanted', 'other_due_at': fields.Datetime.now(), 'other_attempts': 0} | values
        return super()._transition(state, **values)

    def _take_other(self, content):
        """Keep what KSeF has under the number (bytes), and say whether it is the same sale."""
        self.ensure_one()
        differences = self._compare_with(content)
        self.write({
            'other_xml': base64.b64encode(content), 'other_hash': sha256_b64(content), 'other_due_at': False,
            'other_state': 'same' if differences == [] else 'different',
            'other_differences': ", ".join(differences) if differences else False})

    def _compare_with(self, content, xml=None):
        """In what the other invoice differs (labels), None when the two cannot be compared.

        :param content: bytes of the other invoice
        :param xml: bytes of this one, by default those that were sent
        """
        try:
            mine, other = reader.read(xml or self._get_xml()), reader.read(content)
        except ReadProblem:
            return None
        here = self.with_context(lang=self.user_id.lang or self.company_id.partner_id.lang)
        pairs = (
            (here.env._("buyer"), lambda invoice: (invoice.buyer.identifier, None if invoice.buyer.identifier else invoice.buyer.name)),
            (here.env._("issue date"), lambda invoice: invoice.issue_date),
            (here.env._("amounts"), lambda invoice: (invoice.total, invoice.currency, sorted(map(repr, invoice.group_totals)))),
        )
        return [label for label, value in pairs if value(mine) != value(other)]

    def _adopt_other(self):
        """The other invoice is this sale, sent with another program: its number counts from now on.

        :raise UserError: it is not, or another invoice here has that number
        """
        self.ensure_one()
        self._lock()
        move = self.move_id
        rendered = move._ksef_render_batch()[move] if move.state == 'posted' else None
        if (self.state != 'rejected' or move.ksef_document_id != self or not rendered or not rendered.xml
                or self._compare_with(self._get_other_xml(), rendered.xml) != []):
            raise UserError(self.env._(
                "Only an invoice with the same buyer, issue date and amounts can be adopted. Look at the other invoice first."))
        number = self.original_ksef_number
        owner = self.env['account.move'].sudo().search(
            [('company_id', 'child_of', self.company_id.root_id.ids), ('ksef_number', '=', number), ('id', '!=', self.move_id.id)], limit=1)
        if owner:
            raise UserError(self.env._(
                "The KSeF number %(number)s belongs to %(invoice)s, so this invoice needs another number.", number=number,
                invoice=owner.display_name))
        self.move_id._ksef_rows_lock()
        document = self.create({
            'move_id': self.move_id.id, 'company_id': self.company_id.id, 'connection_id': self.connection_id.id, 'user_id': self.env.uid,
            'state': 'accepted', 'origin': 'register', 'ksef_number': number, 'invoice_number': self.invoice_number,
            'invoice_kind': self.invoice_kind, 'seller_nip': self.seller_nip, 'issue_date': self.issue_date,
            'xml': self.with_context(bin_size=False, bin_size_other_xml=False).other_xml, 'xml_hash': self.other_hash,
            'xml_size': len(self._get_other_xml()), 'sync_pending': True,
            'takeover_note': self.env._(
                "Sent with another program and adopted by %(user)s. Its UPO is there, or in the taxpayer application.",
                user=self.env.user.name)})
        document._sync_moves()
        return document

    def _get_other_xml(self):
        """The exact bytes of the other invoice."""
        self.ensure_one()
        return base64.b64decode(self.with_context(bin_size=False, bin_size_other_xml=False).other_xml or b'')

    def _other_failed(self, error):
        """Ask again later, or never when KSeF doesn't show the invoice."""
        self.ensure_one()
        attempts = self.other_attempts + 1
        if isinstance(error, HIDDEN) or attempts >= MOST_ATTEMPTS:
            self.write({'other_state': 'hidden', 'other_due_at': False})
        else:
            wait = max(error.retry_after or 0, min(30 * 2 ** attempts, 3600))
            self.write({'other_attempts': attempts, 'other_due_at': fields.Datetime.now() + timedelta(seconds=wait)})


class KsefWorker(models.AbstractModel):
    _inherit = 'ksef.worker'

    @api.model
    def _due_received_query(self):
        return SQL(
            """%s UNION ALL
            SELECT d.connection_id, GREATEST(d.other_due_at, u.paused, u.download_paused)
              FROM ksef_document d JOIN usable u ON u.id = d.connection_id
             WHERE d.other_due_at IS NOT NULL""", super()._due_received_query())

    @api.model
    def _serve_locked(self, run):
        super()._serve_locked(run)
        if run.access_token:
            self._fetch_others(run)

    @api.model
    def _fetch_others(self, run):
        """Fetch what KSeF has under the numbers of rejected duplicates."""
        with run.transaction() as env:
            rows = [(document.id, document.original_ksef_number) for document in env['ksef.document'].search(
                [('connection_id', '=', run.connection_id), ('other_due_at', '<=', fields.Datetime.now())], order='other_due_at, id')]
        if not rows or self._is_paused(run, 'download_paused_until'):
            return
        for document_id, number in rows:
            if run.time_left() <= 0:
                return
            try:
                content = run.client.invoice_by_number(run.access_token, number)
            except KsefError as error:
                _logger.info("KSeF document %s: the other invoice cannot be fetched: %s", document_id, error)
                run.commit(lambda env, document_id=document_id, error=error: env['ksef.document'].browse(document_id)._other_failed(error))
                continue
            run.commit(lambda env, document_id=document_id, content=content: env['ksef.document'].browse(document_id)._take_other(content))
            run.commit(lambda env, document_id=document_id: env['ksef.document'].browse(document_id).move_id._ksef_notify())


class AccountMove(models.Model):
    _inherit = 'account.move'

    ksef_other_state = fields.Selection(related='ksef_document_id.other_state', compute_sudo=True)

    def _ksef_sync(self):
        super()._ksef_sync()
        self.invalidate_recordset(['ksef_other_state'])

    def action_ksef_preview_other(self):
        """Show the invoice that KSeF has under the same number."""
        self.ensure_one()
        self._ksef_check_reader()
        self.check_access('read')
        document = self.sudo().ksef_document_id
        if document.state != 'rejected' or not document.other_xml:
            raise UserError(self.env._("The other invoice is not here."))
        preview = self.env['ksef.preview'].create({
            'move_ids': [fields.Command.set(self.ids)], 'document_id': document.id, 'is_other': True})
        return preview._get_action()

    def action_ksef_adopt_other(self):
        """It is the same sale: take over the number that KSeF has given to the other program."""
        self.ensure_one()
        self._ksef_check_sender()
        self.check_access('write')
        self.sudo().ksef_document_id._adopt_other()

    def _ksef_alerts_rejected(self, document):
        alerts = super()._ksef_alerts_rejected(document)
        if document.other_state:
            alerts['state']['message'] = "\n".join([
                self.env._(
                    "KSeF rejected the invoice, because it has another one of yours with the number %(number)s: %(other)s.",
                    number=self.name, other=document.original_ksef_number),
                self._ksef_describe_other(document),
                self.env._(
                    "KSeF takes each number of a kind once per NIP, for ten years, whichever program sends it. Where several programs or "
                    "branches issue invoices, each needs a series of its own (a prefix in the number).")])
        return alerts

    def _ksef_describe_other(self, document):
        """What the other invoice is, and the ways out."""
        renumber = self.env._(
            "If it is another sale, this one needs another number: reset it to draft, give it a free number, confirm and send it again.")
        match document.other_state:
            case 'same':
                return self.env._(
                    "Buyer, issue date and amounts are the same: it seems that another program has sent this sale. Click “Show the other "
                    "invoice”, and if it is the same, “It is the same: adopt it”.") + " " + renumber
            case 'different' if document.other_differences:
                return self.env._("It differs in: %(differences)s.", differences=document.other_differences) + " " + renumber
            case 'wanted':
                return self.env._("The program is fetching it, to show it here.")
        return self.env._("Look at it in the taxpayer application.") + " " + renumber
