"""Confirmed invoices to businesses that are not in KSeF: the daily list, and the question before they are e-mailed."""
from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date

from .account_move_lock import SALE_TYPES
from .ksef_document import LIVE_STATES


class AccountMove(models.Model):
    _inherit = 'account.move'

    ksef_is_missing = fields.Boolean(
        string="Not in KSeF", compute='_compute_ksef_missing', search='_search_ksef_is_missing', compute_sudo=True,
        help="A confirmed invoice to a buyer with a NIP that is neither in KSeF nor on its way there.")
    ksef_is_due = fields.Boolean(
        string="Must be in KSeF", compute='_compute_ksef_missing', search='_search_ksef_is_due', compute_sudo=True,
        help="It is not in KSeF, and the duty to use KSeF holds for it.")
    ksef_age_days = fields.Integer(
        string="Days without KSeF", compute='_compute_ksef_missing', compute_sudo=True, help="Days since the date of issue.")

    @api.depends('state', 'move_type', 'partner_id', 'invoice_date', 'ksef_state', 'ksef_is_outside', 'ksef_outside_number')
    def _compute_ksef_missing(self):
        today = self._ksef_today()
        for move in self:
            missing = move._ksef_lacks_ksef()
            duty = missing and move.company_id._ksef_mode_company().ksef_duty_from
            move.ksef_is_missing = missing
            move.ksef_is_due = bool(duty and move.invoice_date and move.invoice_date >= duty)
            move.ksef_age_days = (today - move.invoice_date).days if missing and move.invoice_date else 0

    def _ksef_lacks_ksef(self):
        """Whether the invoice belongs into KSeF by its buyer and isn't there."""
        self.ensure_one()
        return bool(
            self.state == 'posted' and self.move_type in SALE_TYPES and self.ksef_state not in LIVE_STATES
            and not self.ksef_is_outside and not self.ksef_outside_number and not self._ksef_was_sent_elsewhere()
            and self.company_id.sudo().ksef_connection_id
            and self.commercial_partner_id and self.commercial_partner_id._ksef_kind() == 'business' and self.commercial_partner_id.vat)

    @api.model
    def _search_ksef_is_missing(self, operator, value):
        if operator != 'in':
            return NotImplemented
        partner = Domain('commercial_partner_id.vat', '=like', 'PL%') | (
            Domain('commercial_partner_id.vat', 'not in', (False, '', '/')) & Domain('commercial_partner_id.country_id.code', '=', 'PL'))
        domain = Domain([
            ('state', '=', 'posted'), ('move_type', 'in', SALE_TYPES), ('company_id.ksef_connection_id', '!=', False),
            ('ksef_state', 'not in', LIVE_STATES), ('ksef_is_outside', '=', False), ('ksef_outside_number', '=', False)]) & partner
        if self._ksef_has_other_module():
            domain &= Domain('l10n_pl_edi_status', 'not in', ('sent', 'accepted'))
        return domain if True in value else ~domain

    @api.model
    def _search_ksef_is_due(self, operator, value):
        if operator != 'in':
            return NotImplemented
        companies = self.env['res.company'].sudo().search([('ksef_connection_id', '!=', False)])
        due = Domain.OR(
            Domain('company_id', '=', company.id) & Domain('invoice_date', '>=', company._ksef_mode_company().ksef_duty_from)
            for company in companies if company._ksef_mode_company().ksef_duty_from)
        domain = due & Domain('ksef_is_missing', '=', True)
        return domain if True in value else ~domain

    # ------------------------------------------------------------------ mailing one of them

    def _ksef_duty_text(self):
        """What is said before an invoice that should be in KSeF is e-mailed without it."""
        return self.env._(
            "The duty to use KSeF holds for %(invoices)s, and KSeF has not got them: what the customer receives is not an invoice yet.",
            invoices=", ".join(self.mapped('display_name')))

    def _ksef_log_duty(self):
        """Write down who has e-mailed an invoice that should be in KSeF."""
        for move in self:
            move.sudo()._message_log(
                author_id=self.env.user.partner_id.id,
                body=self.env._(
                    "%(user)s has confirmed e-mailing this invoice although it is not in KSeF, where it must be since %(day)s.",
                    user=self.env.user.name, day=format_date(self.env, move.company_id._ksef_mode_company().ksef_duty_from)))


class AccountMoveSend(models.AbstractModel):
    """No route mails an invoice that has to be in KSeF and isn't, unless a person has confirmed just that."""
    _inherit = 'account.move.send'

    @api.model
    def _ksef_asks_duty(self, moves, moves_data):
        """The invoices that would be mailed although they have to be in KSeF first."""
        return moves.filtered(lambda move: (
            'email' in (moves_data[move].get('sending_methods') or ()) and 'ksef' not in (moves_data[move].get('extra_edis') or ())
            and move.ksef_is_due))

    @api.model
    def _get_default_sending_settings(self, move, from_cron=False, **custom_settings):
        settings = super()._get_default_sending_settings(move, from_cron=from_cron, **custom_settings)
        kept = (move.sending_data or {}).get('ksef_duty_confirmed') if from_cron else custom_settings.get('ksef_duty_confirmed')
        return settings | {'ksef_duty_confirmed': bool(kept or self.env.context.get('ksef_duty_confirmed'))}

    @api.model
    def _call_web_service_before_invoice_pdf_render(self, invoices_data):
        super()._call_web_service_before_invoice_pdf_render(invoices_data)
        moves = self.env['account.move'].union(*invoices_data)
        for move in self._ksef_asks_duty(moves, invoices_data):
            data = invoices_data[move]
            if not data.get('error') and not data.get('ksef_duty_confirmed'):
                data['error'] = {
                    'error_title': self.env._("The e-mail was not sent: the invoice has to be in KSeF first."),
                    'errors': [move._ksef_duty_text(), self.env._(
                        "Send it to KSeF, or confirm in the window Send that it is e-mailed without.")],
                }

    @api.model
    def _hook_if_success(self, moves_data, from_cron=False):
        """The same where Odoo falls back to a provisional print after an error."""
        moves = self.env['account.move'].union(*moves_data)
        for move in self._ksef_asks_duty(moves, moves_data):
            data = moves_data[move]
            if data.get('ksef_duty_confirmed'):
                move.with_env(self.env)._ksef_log_duty()
            else:
                data['sending_methods'] = [method for method in data['sending_methods'] if method != 'email']
                move._message_log(body=self.env._("The e-mail was not sent: the invoice has to be in KSeF first."))
        return super()._hook_if_success(moves_data, from_cron=from_cron)
