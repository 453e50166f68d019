from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .ksef_document import OPEN_STATES, WITHDRAWABLE_STATES

# What is computed from the state; SQL writes the state, so the cache is told by name.
SHOWN_FIELDS = (
    'ksef_environment', 'ksef_verification_url', 'ksef_is_connected', 'ksef_is_offered', 'ksef_can_send', 'ksef_can_refresh',
    'ksef_can_withdraw', 'ksef_can_set_today', 'show_reset_to_draft_button', 'alerts',
)
# An invoice in these states (or none) can be sent: for the first time, or again after it was corrected.
SENDABLE_STATES = (False, 'invalid', 'rejected')


class AccountMove(models.Model):
    """The buttons of invoice form and list. Every verb checks the rights itself: hiding a button protects nothing."""
    _inherit = 'account.move'

    ksef_is_connected = fields.Boolean(compute='_compute_ksef_buttons', help="The company is connected to KSeF.")
    ksef_is_offered = fields.Boolean(
        compute='_compute_ksef_buttons', help="A customer invoice of a company that is connected to KSeF.")
    ksef_can_send = fields.Boolean(compute='_compute_ksef_buttons')
    ksef_can_refresh = fields.Boolean(compute='_compute_ksef_buttons')
    ksef_can_withdraw = fields.Boolean(compute='_compute_ksef_buttons')
    ksef_can_set_today = fields.Boolean(compute='_compute_ksef_buttons')

    @api.depends('company_id', 'move_type', 'journal_id', 'state', 'ksef_state')
    @api.depends_context('uid')
    def _compute_ksef_buttons(self):
        is_reader = self.env.user.has_group('l10n_pl_ksef.group_ksef_read')
        is_sender = self.env.user.has_group('l10n_pl_ksef.group_ksef_send')
        for move in self:
            connection = move.company_id._ksef_connection() if move.company_id else self.env['ksef.connection']
            offered = is_reader and move._ksef_is_issued() and bool(connection)
            usable = offered and is_sender and connection.state != 'neutralised'
            move.ksef_is_connected = bool(connection)
            move.ksef_is_offered = offered
            move.ksef_can_send = bool(usable and move.state == 'posted' and move.ksef_state in SENDABLE_STATES)
            # whatever becomes of the connection, what has not left can be taken back
            move.ksef_can_withdraw = bool(is_sender and move.ksef_state in WITHDRAWABLE_STATES)
            move.ksef_can_refresh = bool(usable and move.ksef_state in (*OPEN_STATES, 'help'))
            move.ksef_can_set_today = bool(move.ksef_can_send and move._ksef_asks_for_date())

    def _ksef_sync(self):
        self.env['res.company'].flush_model(['ksef_connection_id'])
        super()._ksef_sync()
        self.invalidate_recordset(SHOWN_FIELDS)

    def _ksef_asks_for_date(self):
        """Whether the invoice was held because its issue date is over, and a person decides what becomes of it."""
        document = self.sudo().ksef_document_id
        return document.state == 'invalid' and any(
            finding.get('remedy') == 'set_today' for finding in document.findings or [])

    # ------------------------------------------------------------------ verbs

    def action_ksef_send(self):
        """Open the confirmation for the invoices ("Send to KSeF")."""
        self._ksef_check_sender()
        self.check_access('read')
        if not self:
            raise UserError(self.env._("Select the invoices that are to be sent to KSeF."))
        wizard = self.env['ksef.send'].create({'move_ids': [fields.Command.set(self.ids)]})
        return wizard._get_action()

    def action_ksef_refresh_status(self):
        """Have a worker ask KSeF again ("Get KSeF status"); without a selection, about everything that is open."""
        self._ksef_check_sender()
        self.check_access('read')
        documents = self._ksef_open_documents()
        if not documents:
            return self._ksef_notification(
                'info', self.env._("KSeF has answered about all of these invoices: there is nothing left to ask."))
        documents._check_again()
        return self._ksef_notification('success', self.env._(
            "KSeF is being asked about %(count)s invoices. The answer appears here by itself.", count=len(documents)))

    def _ksef_open_documents(self):
        """Current documents of the invoices, or of the user's companies, about which KSeF can still say something."""
        domain = fields.Domain('state', 'in', (*OPEN_STATES, 'help')) | (
            fields.Domain('state', '=', 'accepted') & fields.Domain('has_upo', '=', False))
        if self:
            scope = fields.Domain('id', 'in', self.sudo().ksef_document_id.ids)
        else:
            scope = fields.Domain('company_id', 'in', self.env.companies.ids) & fields.Domain(
                'connection_id', 'in', self.env.companies.sudo().ksef_connection_id.ids)
        return self.env['ksef.document'].search(domain & scope)

    def action_ksef_withdraw(self):
        """Take back what has not left for KSeF yet ("Withdraw")."""
        self._ksef_check_sender()
        self.check_access('write')
        documents = self.sudo().ksef_document_id
        if not documents:
            raise UserError(self.env._("There is nothing to withdraw: the invoice was not sent to KSeF."))
        documents._withdraw()

    def action_ksef_set_today(self):
        """Give the invoices today's date, then open the confirmation ("Set today's date")."""
        self._ksef_check_sender()
        self._ksef_set_today()
        return self.action_ksef_send()

    @api.model
    def _ksef_notification(self, kind, message):
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {'type': kind, 'message': message, 'next': {'type': 'ir.actions.client', 'tag': 'soft_reload'}},
        }

    # ------------------------------------------------------------------ the date of issue

    def _ksef_set_today(self):
        """Reset to draft, date today (in Poland), confirm again; the number and the date of supply stay.

        The day on which goods or services were supplied doesn't change with the day of issue: where the invoice gives
        none, it was the old date of issue, so that date is now written down as the date of supply.

        :raise UserError: an invoice is closed, or Odoo doesn't allow the change (lock dates, numbering)
        """
        self.check_access('write')
        if not self.env.su and not self.env.user.has_group('account.group_account_invoice'):
            raise AccessError(self.env._("Only users who may confirm invoices can change their date."))
        today = self._ksef_today()
        for move in self.filtered(lambda move: move.invoice_date != today):
            move._ksef_check_open(self.env._("the date"))
            move._ksef_redate(today)

    def _ksef_redate(self, today):
        self.ensure_one()
        number, old_date = self.name, self.invoice_date
        if self.state != 'posted':
            raise UserError(self.env._("%(invoice)s is not confirmed.", invoice=self.display_name))
        self.button_draft()
        values = {'invoice_date': today}
        if not self.taxable_supply_date and not self.delivery_date:
            values['taxable_supply_date'] = old_date
        self.write(values)
        self.action_post()
        if self.name != number:
            raise UserError(self.env._(
                "%(number)s cannot get today's date, because its number would become %(new)s. Keep its date and send it all the "
                "same, or issue a new invoice.", number=number, new=self.name))
