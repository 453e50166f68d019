from odoo import api, fields, models
from odoo.exceptions import UserError

from ..ksef.offline import OfflineMode
from .account_move_actions import SENDABLE_STATES
from .ksef_document_offline import OFFLINE_MODES, SWITCHABLE_STATES


class AccountMove(models.Model):
    """Issuing invoices offline: chosen by a person, proposed where KSeF cannot be reached or the Ministry announces something."""
    _inherit = 'account.move'

    ksef_can_go_offline = fields.Boolean(compute='_compute_ksef_offline')
    ksef_mode = fields.Selection(related='ksef_document_id.mode', string="KSeF mode", compute_sudo=True, help="Tryb wystawienia")
    ksef_deadline = fields.Date(
        related='ksef_document_id.offline_deadline', string="Must be in KSeF by", compute_sudo=True,
        help="Of an invoice issued offline: the last day allowed by law.")
    ksef_is_total_failure = fields.Boolean(
        string="Issued during a total failure of KSeF", readonly=True, copy=False, tracking=True,
        help="Awaria całkowita: the invoice is never sent to KSeF and has no QR codes.")

    @api.depends('ksef_state', 'state', 'company_id', 'ksef_is_outside')
    @api.depends_context('uid')
    def _compute_ksef_offline(self):
        is_sender = self.env.user.has_group('l10n_pl_ksef.group_ksef_send')
        for move in self:
            unsent = (
                move.ksef_can_send and not move.ksef_is_outside and not move.ksef_outside_number and not move._ksef_rejected_offline())
            waiting = move.ksef_is_offered and move.ksef_state in SWITCHABLE_STATES and move.ksef_mode == 'online'
            move.ksef_can_go_offline = bool(is_sender and (unsent or waiting))

    def _ksef_sync(self):
        super()._ksef_sync()
        self.invalidate_recordset(['ksef_can_go_offline', 'ksef_can_correct_technically', 'ksef_mode', 'ksef_deadline'])

    @api.depends('ksef_document_id')
    def _compute_ksef_buttons(self):
        """What was issued offline is not taken back."""
        super()._compute_ksef_buttons()
        for move in self:
            if move.ksef_can_withdraw and move.sudo().ksef_document_id._is_offline():
                move.ksef_can_withdraw = False

    # ------------------------------------------------------------------ verbs

    def action_ksef_go_offline(self):
        """Open the confirmation for issuing the invoices offline."""
        self._ksef_check_sender()
        self.check_access('read')
        if not self:
            raise UserError(self.env._("Select the invoices that are to be issued offline."))
        return self.env['ksef.go.offline'].create({'move_ids': [fields.Command.set(self.ids)]})._get_action()

    def _ksef_issue_offline(self, mode):
        """Issue the invoices offline: freeze the bytes, sign code II, and leave the sending to the workers.

        :param mode: one of ``ksef.offline.SENT_LATER``
        :return: their documents; ``invalid`` where an invoice must be corrected first (nothing was issued then)
        :raise UserError: one of them cannot be issued offline, or there is no certificate for it
        """
        self._ksef_check_sender()
        self.check_access('write')
        moves = self.sudo()
        moves._ksef_check_offline()
        queued = moves.filtered(lambda move: move.ksef_state in SWITCHABLE_STATES).ksef_document_id
        queued._go_offline(str(mode))
        new = moves - queued.move_id
        documents = queued | new._ksef_pick_offline(str(mode))
        documents._sync_moves()
        self.env['ksef.worker']._trigger_workers()
        return documents.with_env(self.env)

    def _ksef_pick_offline(self, mode):
        """Pick, render, prove and sign in this transaction."""
        if not self:
            return self.env['ksef.document']
        self._ksef_check_pickable()
        documents = self.with_context(default_mode=mode)._ksef_pick_here(True)
        return documents.with_env(self.env)

    def _ksef_check_offline(self):
        """Refuse what must not be issued offline; name it and say why.

        :raise UserError: see there
        """
        for company in self.company_id:
            connection = company._ksef_connection()
            if not connection:
                raise UserError(company._ksef_unconnected_text())
            connection._check_original()
            connection._get_offline_pair()
        today = self._ksef_today()
        checks = (
            (lambda move: move.ksef_state not in (*SENDABLE_STATES, *SWITCHABLE_STATES) or (
                move.ksef_is_locked and move.sudo().ksef_document_id.mode != 'online'), self.env._(
                "On its way to KSeF, accepted, or issued offline already: %(invoices)s")),
            (lambda move: move.invoice_date and move.invoice_date != today and move.ksef_state not in SWITCHABLE_STATES, self.env._(
                "An invoice is issued offline on its issue date, which must be today. Set today's date first: %(invoices)s")),
            (lambda move: move._ksef_unnumbered_before(), self.env._(
                "A correction can be issued offline only when the invoice that it corrects has its KSeF number. Send it the usual way: it "
                "waits for that number by itself. %(invoices)s")),
        )
        for is_wrong, message in checks:
            wrong = self.filtered(is_wrong)
            if wrong:
                raise UserError(message % {'invoices': ", ".join(wrong.mapped('display_name'))})

    # ------------------------------------------------------------------ total failure

    def _ksef_issue_in_total_failure(self, source):
        """Mark the invoices as issued during a total failure: they are never sent and printed without codes.

        :param source: where it was announced, for the chatter
        :raise UserError: one of them is with KSeF, or on its way
        """
        self._ksef_check_sender()
        self.check_access('write')
        moves = self.sudo()
        moves._ksef_check_pickable()
        moves._ksef_rows_lock()
        moves._ksef_discard_invalid()
        moves._ksef_sync()
        moves.write({'ksef_is_total_failure': True, 'ksef_is_outside': True})
        for move in moves:
            move.with_context(no_new_invoice=True)._message_log(body=self.env._(
                "Issued during a total failure of KSeF, announced: %(announced)s. It is never sent to KSeF and is printed without QR "
                "codes.",
                announced=source))

    def action_ksef_undo_total_failure(self):
        """The mark was a mistake: the invoice can be sent again."""
        self._ksef_check_sender()
        self.check_access('write')
        moves = self.sudo().filtered('ksef_is_total_failure')
        moves.write({'ksef_is_total_failure': False, 'ksef_is_outside': False})
        for move in moves:
            move.with_context(no_new_invoice=True)._message_log(
                body=self.env._("No longer marked as issued during a total failure of KSeF."))

    def _ksef_check_pickable(self):
        super()._ksef_check_pickable()
        marked = self.filtered('ksef_is_total_failure')
        if marked:
            raise UserError(self.env._(
                "Issued during a total failure of KSeF, so never sent there: %(invoices)s",
                invoices=", ".join(marked.mapped('display_name'))))

    # ------------------------------------------------------------------ what the form says

    def _get_alerts(self):
        alerts = super()._get_alerts()
        if self.ksef_is_offered and self.ksef_is_total_failure:
            alerts['ksef_total_failure'] = {'level': 'info', 'message': self.env._(
                "Issued during a total failure of KSeF: it is never sent there and is printed without QR codes.")}
        elif self.ksef_can_go_offline:
            alerts |= self._ksef_offline_proposal()
        return alerts

    def _ksef_offline_proposal(self):
        """Propose issuing offline, where KSeF is out of reach or the Ministry says that it will be."""
        connection = self.company_id.sudo()._ksef_connection()
        mode = connection._suggest_offline_mode()
        texts = {
            OfflineMode.TOTAL_FAILURE: self.env._("The Ministry reports a total failure of KSeF: invoices are issued without it."),
            OfflineMode.EMERGENCY: self.env._(
                "The Ministry reports a failure of KSeF: invoices can be issued in emergency mode (tryb awaryjny)."),
            OfflineMode.UNAVAILABILITY: self.env._("KSeF is under planned maintenance: invoices can be issued offline (niedostępność)."),
        }
        message = texts.get(mode)
        if not message and self.ksef_state and connection._is_out_of_reach():
            message = self.env._(
                "KSeF cannot be reached. If the buyer needs the invoice now, issue it offline (offline24): it is printed with its QR codes "
                "and sent by itself later.")
        if not message:
            return {}
        return {'ksef_go_offline': {
            'level': 'info', 'message': message, 'action_text': self.env._("Issue offline…"),
            'action': {
                'type': 'ir.actions.act_window', 'name': self.env._("Issue offline"), 'res_model': 'ksef.go.offline',
                'views': [(False, 'form')], 'target': 'new',
                'context': {'active_model': 'account.move', 'active_ids': self.ids, 'dialog_size': 'medium'}},
        }}

    def _ksef_alerts(self):
        """What was issued offline says until when it must be in KSeF."""
        alerts = super()._ksef_alerts()
        document = self.sudo().ksef_document_id
        if document._is_owed():
            level = 'danger' if document.is_overdue else 'info'
            message = self.env._("Issued offline. %(deadline)s", deadline=document.with_env(self.env).sudo()._describe_deadline())
            if self._ksef_rejected_offline():
                message += " " + self.env._(
                    "The buyer has it already, so number, amounts and lines stay. Reset it to draft, mend only what KSeF names, confirm "
                    "it, and click “Technical correction” instead of sending it again.")
            alerts = {'offline': {'level': level, 'message': message}} | alerts
            if self.ksef_state == 'queued' and not document.attempts:
                alerts.pop('state', None)
            if self.ksef_state == 'queued':
                alerts |= {
                    f'finding_{number:03d}': document._finding_display(finding)
                    for number, finding in enumerate(document.findings or []) if finding['severity'] == 'error'}
        return alerts

    def _ksef_is_issued_offline(self):
        """Whether the invoice was issued in one of the offline modes and is not free again."""
        self.ensure_one()
        document = self.sudo().ksef_document_id
        return document.mode in OFFLINE_MODES and document._is_offline()
