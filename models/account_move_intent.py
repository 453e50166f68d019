from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from .ksef_document import LIVE_STATES

INTENTS = [
    ('send', "Will be sent"),
    ('skip', "Not sent by itself"),
    ('outside', "Outside KSeF"),
]
# What shows that an invoice was not made here: contexts of Odoo's import of files, and of data that modules bring.
IMPORT_CONTEXTS = ('import_file', 'ksef_import', 'install_mode')


class AccountMove(models.Model):
    """What becomes of an invoice in KSeF when nobody does anything, and why: shown before anything happens.

    Two plain columns hold what a person has decided and where the invoice came from. The intent itself is computed when
    it is looked at, so saving an invoice does nothing more than before.
    """
    _inherit = 'account.move'

    ksef_choice = fields.Selection(
        [('send', "Send when confirmed"), ('skip', "Don't send by itself")], string="Decision about KSeF", copy=False, tracking=True,
        help="Decided for this invoice alone, before it is confirmed; empty: as mode and rules of the company say.")
    ksef_choice_reason = fields.Char(
        string="Reason", copy=False, tracking=True, help="Why this invoice is sent, not sent, or issued outside KSeF.")
    ksef_is_imported = fields.Boolean(
        string="Imported", copy=False, readonly=True, help="The invoice came from a file or from data, so it never goes to KSeF by itself.")
    ksef_intent = fields.Selection(INTENTS, string="Intent for KSeF", compute='_compute_ksef_intent', compute_sudo=True)
    ksef_intent_why = fields.Char(string="Why", compute='_compute_ksef_intent', compute_sudo=True)

    @api.depends(
        'company_id', 'move_type', 'state', 'invoice_date', 'journal_id', 'partner_id', 'fiscal_position_id', 'ksef_state', 'ksef_choice',
        'ksef_choice_reason', 'ksef_is_outside', 'ksef_outside_number', 'ksef_is_imported')
    @api.depends_context('lang')
    def _compute_ksef_intent(self):
        for move in self:
            move.ksef_intent, move.ksef_intent_why = move._ksef_find_intent()

    def _ksef_has_intent(self):
        """Whether the move is one of those that KSeF wants: invoices and credit notes to customers."""
        self.ensure_one()
        return self._ksef_is_issued()

    def _ksef_find_intent(self):
        """Return (intent, why); (False, False) for what has no business in KSeF or is there already."""
        self.ensure_one()
        is_confirming = self.env.context.get('ksef_posting')
        # What came back from KSeF has its own place on the screen, until it is confirmed anew.
        told = self.ksef_state in LIVE_STATES or (self.ksef_state and self.state == 'posted' and not is_confirming)
        if not self._ksef_has_intent() or self.state == 'cancel' or told or not self.company_id:
            return False, False
        if self.ksef_outside_number:
            return 'outside', self.env._("It was sent with another program: %(number)s", number=self.ksef_outside_number)
        if self.ksef_is_outside:
            return 'outside', self.ksef_choice_reason or self.env._("It is marked as issued outside KSeF.")
        if obstacle := self._ksef_obstacle():
            return 'skip', obstacle
        intent, why = self._ksef_decide()
        if intent == 'send' and self.state == 'posted' and not is_confirming:
            return 'skip', self.env._("It is confirmed, and nothing sends it by itself any more. Pick it with “Send to KSeF”.")
        return intent, why

    def _ksef_obstacle(self):
        """Why the invoice cannot be picked at all, or False."""
        company = self.company_id
        connection = company._ksef_connection()
        if not connection or connection.state == 'neutralised':
            return company._ksef_unconnected_text()
        if company._ksef_sending_mode() == 'off':
            return self._ksef_off_text()
        if self._origin and self._origin._ksef_was_sent_elsewhere():
            return self.env._("It was sent through Odoo's own KSeF module.")
        return False

    @api.model
    def _ksef_off_text(self):
        return self.env._(
            "Sending to KSeF is switched off for this company. An administrator switches it on in Settings → Invoicing → KSeF.")

    def _ksef_was_sent_elsewhere(self):
        """Whether Odoo's own module has sent the invoice."""
        return self._ksef_has_other_module() and self.l10n_pl_edi_status in ('sent', 'accepted')

    def _ksef_decide(self):
        """(intent, why) of an invoice that could be picked: a person's word, then where it came from, then mode and rules."""
        if self.ksef_choice:
            reason = self.ksef_choice_reason or self.env._("decided for this invoice")
            return self.ksef_choice, reason
        company = self.company_id._ksef_mode_company()
        if company.ksef_mode != 'automatic':
            return 'skip', self.env._("Hybrid mode: it goes to KSeF only when somebody picks it.")
        if self.ksef_is_imported or any(self.invoice_line_ids.mapped('is_imported')):
            return 'skip', self.env._("It was imported: check it, and pick it yourself.")
        today = self._ksef_today()
        begin = company.ksef_auto_from
        if not begin or today < begin or (self.invoice_date or today) < begin:
            return 'skip', self.env._(
                "Automatic mode holds for invoices confirmed and dated on or after %(day)s.", day=format_date(self.env, begin) or '…')
        if self.company_id._ksef_connection()._asks_production():
            return 'skip', self.env._("Sending to production was not confirmed yet: pick the first invoice yourself.")
        rule = self.env['ksef.mode.rule']._decide(self, company)
        if rule:
            return rule.decision, self.env._("Rule “%(rule)s”", rule=rule.name)
        return 'send', self.env._("Automatic mode: it is sent when it is confirmed.")

    # ------------------------------------------------------------------ who decides, and when

    @api.model_create_multi
    def create(self, vals_list):
        if any(self.env.context.get(name) for name in IMPORT_CONTEXTS):
            vals_list = [vals | {'ksef_is_imported': True} for vals in vals_list]
        for vals in vals_list:
            self._ksef_check_choice(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._ksef_check_choice(vals)
        if 'ksef_choice' in vals:
            decided = self.filtered(lambda move: move.state != 'draft' and move.ksef_choice != vals['ksef_choice'])
            if decided:
                raise UserError(self.env._(
                    "What becomes of an invoice in KSeF is decided before it is confirmed. Pick it with “Send to KSeF”, or take it back "
                    "with “Withdraw”: %(invoices)s", invoices=", ".join(decided.mapped('display_name'))))
        return super().write(vals)

    @api.model
    def _ksef_check_choice(self, vals):
        if vals.get('ksef_choice'):
            self._ksef_check_sender()

    @api.model
    def load(self, fields, data):
        return super(AccountMove, self.with_context(ksef_import=True)).load(fields, data)

    def _ksef_check_pickable(self):
        for company in self.company_id:
            if company._ksef_sending_mode() == 'off':
                raise UserError(self._ksef_off_text())
        super()._ksef_check_pickable()

    def _compute_ksef_buttons(self):
        super()._compute_ksef_buttons()
        for move in self:
            if move.company_id and move.ksef_can_send and move.company_id._ksef_sending_mode() == 'off':
                move.ksef_can_send = move.ksef_can_set_today = False

    def _ksef_missing_button_reason(self):
        reason = super()._ksef_missing_button_reason()
        connected = self.company_id._ksef_connection()
        if connected and self._ksef_has_intent() and self.company_id._ksef_sending_mode() == 'off':
            return self._ksef_off_text()
        return reason
