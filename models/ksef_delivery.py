"""What the customer is to get, and when: e-mails that wait for the KSeF number and go out at most once."""
import json
from datetime import timedelta

from markupsafe import Markup
from odoo import api, fields, models
from odoo.exceptions import UserError

DELIVERY_STATES = [
    ('waiting', "Waiting for the KSeF number"),
    ('ready', "To be sent"),
    ('claimed', "Being sent"),
    ('sent', "Sent"),
    ('unsure', "Unsure"),
    ('failed', "Not sent"),
    ('cancelled', "Cancelled"),
]
TRANSITIONS = {
    'waiting': {'ready', 'waiting', 'cancelled'},
    'ready': {'claimed', 'waiting', 'failed', 'cancelled'},
    'claimed': {'sent', 'ready', 'failed', 'unsure'},
    'sent': {'ready', 'waiting'},
    'unsure': {'sent', 'ready', 'waiting', 'cancelled'},
    'failed': {'ready', 'waiting', 'cancelled'},
    'cancelled': {'ready', 'waiting'},
}
# What a setting holds as a record, by the model of the record.
RECORDS = {'mail_template': 'mail.template', 'pdf_report': 'ir.actions.report'}
# The text was written about these facts; when they change, it is written anew.
FACTS = ('name', 'amount_total', 'partner_id', 'currency_id', 'invoice_date', 'invoice_date_due')


class KsefDelivery(models.Model):
    """What a person chose in the window Send for an invoice that had no KSeF number yet; one row per invoice and channel.

    The row is claimed, and that is committed, before the mail server is asked. A process that dies in between leaves a
    claimed row behind: the next run makes it ``unsure``, because nobody knows whether the message went, and nothing but
    a person's click sends it again. (docs/decisions/0011-modes-and-delivery.md says what "sent" means.)
    """
    _name = 'ksef.delivery'
    _description = "Delivery after KSeF"
    _order = 'id desc'
    _rec_name = 'move_id'

    move_id = fields.Many2one('account.move', string="Invoice", required=True, readonly=True, ondelete='cascade')
    channel = fields.Selection([('email', "E-mail")], required=True, readonly=True, default='email')
    company_id = fields.Many2one('res.company', required=True, index=True, readonly=True)
    connection_id = fields.Many2one('ksef.connection', index=True, readonly=True, ondelete='restrict')
    partner_id = fields.Many2one(related='move_id.commercial_partner_id', string="Customer")
    ksef_number = fields.Char(related='move_id.ksef_number')
    state = fields.Selection(DELIVERY_STATES, required=True, readonly=True, default='waiting', index=True)
    user_id = fields.Many2one('res.users', string="Chosen by", readonly=True)
    settings = fields.Json(readonly=True, help="What was chosen in the window Send.")
    message = fields.Text(string="Remark", readonly=True)
    mail_message_id = fields.Many2one('mail.message', string="E-mail", readonly=True, ondelete='set null')
    sent_at = fields.Datetime(string="Sent on", readonly=True)
    due_at = fields.Datetime(readonly=True, help="When a worker must look at it.")
    attempts = fields.Integer(readonly=True)
    upo_since = fields.Datetime(string="Waiting for the UPO since", readonly=True)

    _one = models.UniqueIndex('(move_id, channel)', "The invoice has a delivery of this kind already.")
    _due = models.Index('(connection_id, due_at) WHERE due_at IS NOT NULL')

    # ------------------------------------------------------------------ state

    def _transition(self, state, **values):
        """Move the rows to ``state``, after locking and reading them afresh; the others are left as they are.

        :return: the rows that the table of transitions let go there
        """
        rows = self.sudo()
        rows._lock()
        allowed = rows.filtered(lambda row: state in TRANSITIONS[row.state])
        allowed.write({'state': state, 'due_at': False} | values)
        return allowed

    def _lock(self):
        if self.ids:
            self.flush_recordset()
            self.env.cr.execute('SELECT id FROM ksef_delivery WHERE id IN %s ORDER BY id FOR UPDATE', [tuple(self.ids)])
            self.invalidate_recordset()

    def _put_off(self, seconds):
        """Look at the rows that a worker still has to look at again after some seconds."""
        self._lock()
        self.filtered('due_at').write({'due_at': fields.Datetime.now() + timedelta(seconds=seconds)})

    # ------------------------------------------------------------------ keeping what was chosen

    @api.model
    def _keep(self, move, data):
        """Keep what was chosen for the invoice until it has its KSeF number; a new choice takes the place of the old one.

        The number may arrive meanwhile: under the document's lock it is seen here, or written after this row can be seen.
        """
        document = move.sudo().ksef_document_id
        document._lock()
        values = {
            'settings': self._pack(move, data), 'user_id': data['author_user_id'], 'connection_id': document.connection_id.id,
        } | self._begin()
        delivery = self.sudo().search([('move_id', '=', move.id), ('channel', '=', 'email')])
        if delivery:
            delivery._transition('waiting', **values)
        else:
            delivery = self.sudo().create(values | {'move_id': move.id, 'company_id': move.company_id.id})
        self.env['ir.attachment'].sudo().browse(delivery._manual_attachment_ids()).exists().write(
            {'res_model': self._name, 'res_id': delivery.id})
        if document.state == 'accepted' and delivery.state == 'waiting':
            delivery._follow_one(document)
        return delivery

    @api.model
    def _begin(self):
        """What a row holds that nothing was tried with yet."""
        return {'message': False, 'attempts': 0, 'mail_message_id': False, 'upo_since': False}

    @api.model
    def _pack(self, move, data):
        """The settings of the window Send as JSON: the message and whom it goes to."""
        names = ('mail_lang', 'mail_subject', 'author_user_id', 'author_partner_id', 'invoice_edi_format')
        packed = {name: data.get(name) or False for name in names}
        packed['mail_body'] = str(data.get('mail_body') or '')
        packed['mail_partner_ids'] = list(data.get('mail_partner_ids') or [])
        packed |= {name: data[name].id if data.get(name) else False for name in RECORDS}
        # The print is made anew; what belongs to an old one stays behind.
        packed['mail_attachments_widget'] = [
            entry for entry in data.get('mail_attachments_widget') or []
            if any(entry.get(mark) for mark in ('manual', 'mail_template_id', 'dynamic_report', 'skip'))]
        packed['facts'] = self._facts(move)
        return json.loads(json.dumps(packed, default=str))

    @api.model
    def _facts(self, move):
        return [str(move[name].id if move._fields[name].relational else move[name]) for name in FACTS]

    def _manual_attachment_ids(self):
        entries = self.settings['mail_attachments_widget']
        return [int(entry['id']) for entry in entries if entry.get('manual') and str(entry['id']).isdecimal()]

    def _unpack(self):
        """The settings as the window Send gives them; a text about facts that have changed is left out, and written anew."""
        self.ensure_one()
        packed = dict(self.settings)
        facts = packed.pop('facts')
        for name, model in RECORDS.items():
            packed[name] = self.env[model].browse(packed[name] or []).exists()
        packed['mail_body'] = Markup(packed['mail_body'])  # noqa: S704  the composer's own markup
        packed['mail_partner_ids'] = self.env['res.partner'].browse(packed['mail_partner_ids']).exists().ids
        if facts != self._facts(self.move_id):
            for name in ('mail_body', 'mail_subject', 'mail_partner_ids'):
                del packed[name]
        return packed | {'sending_methods': ['email'], 'extra_edis': []}

    # ------------------------------------------------------------------ what becomes of the document

    @api.model
    def _follow(self, documents):
        """Documents have reached a state: deliveries of their invoices go out, go on waiting and say why, or are cancelled."""
        current = documents.filtered('move_id')
        deliveries = self.sudo().search([('move_id', 'in', current.move_id.ids), ('state', 'in', ('waiting', 'ready'))])
        for delivery in deliveries:
            document = current.filtered(lambda document, d=delivery: document.move_id == d.move_id)[:1]
            delivery._follow_one(document)

    @api.model
    def _follow_left(self, connection_id):
        """Rows that were kept in the very moment in which the number was shown, so that :meth:`_follow` did not see them."""
        left = self.search([
            ('state', '=', 'waiting'), ('move_id.ksef_state', '=', 'accepted'), ('move_id.ksef_document_id.state', '=', 'accepted'),
            ('move_id.ksef_document_id.connection_id', '=', connection_id)])
        for delivery in left:
            delivery._follow_one(delivery.move_id.ksef_document_id)

    def _follow_one(self, document):
        language = self.user_id.lang or self.company_id.partner_id.lang
        delivery = self.with_context(lang=language)
        match document.state:
            case 'accepted':
                delivery._transition('ready', message=False, connection_id=document.connection_id.id, due_at=fields.Datetime.now())
                self.env['ksef.worker']._trigger_workers()
            case 'cancelled':
                delivery._transition('cancelled', message=delivery.env._("The invoice was withdrawn before it was sent to KSeF."))
            case 'rejected':
                delivery.message = delivery.env._(
                    "KSeF rejected the invoice. The e-mail goes out when the corrected invoice has its KSeF number, or is cancelled here.")
            case 'invalid':
                delivery.message = delivery.env._("The invoice was not sent to KSeF yet: it must be corrected first.")
            case 'help' | 'blocked':
                delivery.message = delivery.env._("KSeF has not taken the invoice yet; see there.")
            case _:
                delivery.message = False

    # ------------------------------------------------------------------ verbs of a person

    def action_resend(self):
        """Send the e-mail (again), with a fresh print ("Send again"); the customer may get it twice when it was unsure."""
        self.env['account.move']._ksef_check_sender()
        self.check_access('read')
        self.move_id.check_access('write')
        self.sudo()._lock()
        for delivery in self.sudo():
            if delivery.move_id.ksef_state != 'accepted':
                raise UserError(self.env._(
                    "%(invoice)s has no KSeF number yet: the e-mail goes out by itself as soon as it has one.",
                    invoice=delivery.move_id.display_name))
            if delivery.state == 'claimed':
                raise UserError(self.env._("The e-mail of %(invoice)s is being sent right now.", invoice=delivery.move_id.display_name))
        self._transition('ready', due_at=fields.Datetime.now(), **self._begin())
        self.env['ksef.worker']._trigger_workers()
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}

    def action_cancel(self):
        """Don't send the e-mail ("Cancel")."""
        self.env['account.move']._ksef_check_sender()
        self.check_access('read')
        self.move_id.check_access('write')
        cancelled = self._transition('cancelled', message=self.env._("Cancelled by %(user)s.", user=self.env.user.name))
        if len(cancelled) != len(self):
            raise UserError(self.env._("What was sent, or is being sent right now, cannot be cancelled."))
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}


class AccountMove(models.Model):
    _inherit = 'account.move'

    ksef_delivery_ids = fields.One2many(
        'ksef.delivery', 'move_id', string="Deliveries after KSeF", readonly=True, groups='l10n_pl_ksef.group_ksef_read')

    def _ksef_alerts(self):
        """Beside the invoice's own state: an e-mail that a person has to look at, or that still waits."""
        alerts = super()._ksef_alerts()
        for delivery in self.sudo().ksef_delivery_ids:
            if delivery.state in ('unsure', 'failed'):
                alerts['delivery'] = {'level': 'warning', 'message': delivery.message}
            elif delivery.state in ('waiting', 'ready', 'claimed'):
                alerts['delivery'] = {'level': 'info', 'message': self.env._(
                    "The e-mail to the customer waits for the KSeF number and then goes out by itself.")}
        return alerts


class KsefDocument(models.Model):
    _inherit = 'ksef.document'

    def _sync_moves(self):
        pending = self.sudo().filtered('sync_pending')
        super()._sync_moves()
        if pending:
            self.env['ksef.delivery']._follow(pending)
