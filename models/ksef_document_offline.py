from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..ksef import qr
from ..ksef.errors import KsefConfigError
from ..ksef.offline import SENT_LATER, deadline_of

OFFLINE_MODES = tuple(str(mode) for mode in SENT_LATER)
# While a document is in one of these, somebody still owes it to KSeF.
OWED_STATES = ('queued', 'sending', 'unconfirmed', 'sent', 'blocked', 'help', 'rejected')
# From here an invoice can be issued offline after it was queued: its bytes stand, and KSeF has not answered about them.
SWITCHABLE_STATES = ('queued', 'blocked', 'unconfirmed')


class KsefDocument(models.Model):
    """Documents issued offline: their bytes are signed for, printed and handed over first, and sent to KSeF by a day set by law."""
    _inherit = 'ksef.document'

    issued_offline_at = fields.Datetime(string="Issued offline on", readonly=True, help="When the codes for the print were made.")
    certificate_url = fields.Char(
        string="Certificate link", readonly=True, help="Link weryfikacyjny (KOD II), signed once with the Offline certificate.")
    certificate_serial = fields.Char(string="Signed with certificate", readonly=True)
    offline_deadline = fields.Date(
        string="Must be in KSeF by", readonly=True,
        help="The last day allowed by law, in Polish working days. Empty while an announced event goes on, or when nothing is owed.")
    offline_duty_ended = fields.Boolean(
        readonly=True, help="A total failure of KSeF was announced: the law no longer asks for the invoice.")
    offline_warning = fields.Selection([('due', "Due today"), ('overdue', "Overdue")], readonly=True, help="The last activity about it.")
    offline_activity_id = fields.Many2one('mail.activity', readonly=True, ondelete='set null', index='btree_not_null')
    is_overdue = fields.Boolean(compute='_compute_is_overdue', search='_search_is_overdue')

    _offline_owed = models.Index('(offline_deadline) WHERE offline_deadline IS NOT NULL')

    @api.depends('offline_deadline', 'state')
    def _compute_is_overdue(self):
        today = self.env['account.move']._ksef_today()
        for document in self:
            document.is_overdue = document._is_owed() and bool(document.offline_deadline) and document.offline_deadline < today

    def _search_is_overdue(self, operator, value):
        if operator != 'in':
            return NotImplemented
        today = self.env['account.move']._ksef_today()
        domain = fields.Domain(self._owed_domain()) & fields.Domain('offline_deadline', '<', today)
        return domain if True in value else ~domain

    @api.model
    def _owed_domain(self):
        """Documents issued offline that KSeF has not accepted; of a rejected one, the last attempt."""
        return [
            ('mode', 'in', OFFLINE_MODES), ('state', 'in', OWED_STATES), ('issued_offline_at', '!=', False),
            '|', ('state', '!=', 'rejected'), ('move_id.ksef_state', '=', 'rejected')]

    def _is_owed(self):
        """Whether it was issued offline and KSeF does not have it yet."""
        if not self._is_offline() or self.state not in OWED_STATES:
            return False
        return self.state != 'rejected' or self.move_id.sudo().ksef_document_id == self

    def _is_offline(self):
        """Whether the invoice was issued offline (and printed with two codes); an invoice without a document was not."""
        return bool(self) and self.mode in OFFLINE_MODES and bool(self.issued_offline_at)

    # ------------------------------------------------------------------ issuing

    def _freeze(self, rendered):
        """Bytes of an invoice that is issued offline are signed for at once, in the same transaction."""
        super()._freeze(rendered)
        if self.mode in OFFLINE_MODES and self.state == 'queued':
            self._sign_offline()

    def _go_offline(self, mode):
        """Issue offline what is queued already: the same bytes, with the codes for the print.

        :raise UserError: KSeF has it, or there is no certificate
        """
        self._lock()
        late = self.filtered(lambda document: document.state not in SWITCHABLE_STATES or document.mode != 'online')
        if late:
            raise UserError(self.env._(
                "Too late to issue offline: %(invoices)s. KSeF has registered the invoice, or it was issued offline already.",
                invoices=", ".join(late.mapped(lambda document: document.invoice_number or ''))))
        self.write({'mode': mode, 'late_confirmed': True})
        for document in self:
            document._sign_offline()

    def _sign_offline(self):
        """Make the signed link of code II, count the deadline, and say so in the chatter."""
        self.ensure_one()
        connection = self.connection_id
        pair = connection._get_offline_pair()
        try:
            link = qr.certificate_link(
                connection._get_environment(), connection._get_context(), self.seller_nip, self.xml_hash, pair)
        except KsefConfigError as error:
            raise UserError(self.env._(
                "The QR code of the certificate cannot be made (%(reason)s). An administrator must get another Offline certificate: "
                "KSeF → Connections → “Get an offline certificate”.", reason=str(error))) from None
        self.write({
            'certificate_url': link, 'certificate_serial': pair.info.serial, 'issued_offline_at': fields.Datetime.now(),
            'offline_warning': False, 'sync_pending': True})
        self._count_deadline()
        self.move_id.with_context(no_new_invoice=True)._message_log(body=self._get_offline_message())

    def _get_offline_message(self):
        language = self.user_id.lang or self.company_id.partner_id.lang
        self = self.with_context(lang=language)
        mode = dict(self._fields['mode']._description_selection(self.env))[self.mode]
        return self.env._("Issued offline: %(mode)s. %(deadline)s", mode=mode, deadline=self._describe_deadline())

    # ------------------------------------------------------------------ the deadline

    def _count_deadline(self):
        """Count the deadline (again) from what is announced now; return the documents whose deadline has changed."""
        changed = self.browse()
        for document in self.filtered(lambda one: one._is_offline()):
            events = document.connection_id._get_outages()._as_events(since=document.issued_offline_at)
            deadline = deadline_of(document.mode, document.issue_date, events)
            if (document.offline_deadline, document.offline_duty_ended) != (deadline.day or False, not deadline.is_owed):
                changed |= document
                document.write({
                    'offline_deadline': deadline.day, 'offline_duty_ended': not deadline.is_owed, 'offline_warning': False})
        return changed

    @api.model
    def _recount_deadlines(self, latarnia_url):
        """Something was announced: count again what was issued offline and isn't in KSeF yet."""
        documents = self.sudo().search(self._owed_domain())
        mine = documents.filtered(lambda one: one.connection_id._get_environment().latarnia_url == latarnia_url)
        for document in mine._count_deadline():
            document = document.with_context(lang=document.user_id.lang or document.company_id.partner_id.lang)
            document.move_id.with_context(no_new_invoice=True)._message_log(body=document.env._(
                "The Ministry has announced something new about KSeF. %(deadline)s", deadline=document._describe_deadline()))

    def _describe_deadline(self):
        """The legal deadline in a sentence."""
        self.ensure_one()
        if self.offline_duty_ended:
            return self.env._(
                "A total failure of KSeF was announced, so the law no longer asks for this invoice. It is sent all the same when KSeF "
                "is back.")
        if not self.offline_deadline:
            return self.env._(
                "The last day for sending is counted when the Ministry announces the end of the failure or break. The program sends the "
                "invoice by itself before that.")
        day = format_date(self.env, self.offline_deadline)
        if self.is_overdue:
            return self.env._("It had to be in KSeF by %(date)s and is overdue.", date=day)
        return self.env._("It must be in KSeF by %(date)s; the program sends it by itself.", date=day)

    def _warn_of_deadline(self, today):
        """An activity about an invoice that is due today, or overdue; the earlier one is closed."""
        self.ensure_one()
        self._lock()
        level = 'overdue' if self.offline_deadline and self.offline_deadline < today else 'due'
        if not self._is_owed() or self.offline_warning in (level, 'overdue'):
            return
        self._close_deadline_activity()
        user = self._get_deadline_user(level)
        here = self.with_context(lang=user.lang)
        summary = here.env._("KSeF: overdue invoice issued offline") if level == 'overdue' else here.env._(
            "KSeF: invoice issued offline is due today")
        # Mail servers are slow and fail: the message waits in Odoo's queue.
        activity = here.move_id.with_context(mail_notify_force_send=False).activity_schedule(
            'mail.mail_activity_data_warning', date_deadline=today, user_id=user.id, summary=summary, note=" ".join([
                here._describe_deadline(), here.env._(
                    "Look at the invoice: if KSeF rejected it, correct it there; if it waits, see whether the connection works.")]))
        self.write({'offline_warning': level, 'offline_activity_id': activity.id})

    def _get_deadline_user(self, level):
        """Who issued it, while he is here; of what is overdue, the person responsible for the connection."""
        issuer = self.user_id if self.user_id.active else self.env['res.users']
        responsible = self.connection_id.responsible_id
        return (responsible or issuer if level == 'overdue' else issuer or responsible) or self.connection_id.create_uid

    def _close_deadline_activity(self):
        activity = self.offline_activity_id
        if activity:
            activity.with_context(lang=activity.user_id.lang).action_feedback()

    def _post_state(self):
        """With its number an invoice owes nothing any more."""
        super()._post_state()
        if self.state == 'accepted':
            self._close_deadline_activity()

    # ------------------------------------------------------------------ what stays closed

    def _withdraw(self):
        """What was handed to the buyer is an invoice: it goes to KSeF, whatever happens.

        :raise UserError: one of them was issued offline
        """
        self._lock()
        issued = self.filtered(lambda document: document._is_offline())
        if issued:
            raise UserError(self.env._(
                "%(invoices)s: issued offline, so the buyer may have the invoice already, and it must go to KSeF. It can only be "
                "corrected, by a credit note, once it has its KSeF number.",
                invoices=", ".join(issued.mapped(lambda document: document.invoice_number or ''))))
        return super()._withdraw()
