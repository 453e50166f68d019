from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

MODES = [
    ('off', "Off"),
    ('hybrid', "Hybrid: only what somebody picks"),
    ('automatic', "Automatic: what is confirmed"),
]
# The general date of the duty (art. 106ga in connection with the transitional rules: everybody but the largest and the smallest sellers).
GENERAL_DUTY = '2026-04-01'
MODE_FIELDS = {'ksef_mode', 'ksef_auto_from', 'ksef_duty_from'}


class ResCompany(models.Model):
    """How the company's sales get to KSeF. Fetching what others have issued has a switch of its own.

    Plain columns: a branch that works through its parent's connection follows the parent's settings, see
    :meth:`_ksef_mode_company`. They are changed by the confirmation ``ksef.mode.change`` alone.
    """
    _inherit = 'res.company'

    ksef_mode = fields.Selection(
        MODES, string="Sending to KSeF", default='hybrid', required=True,
        help="Tryb pracy z KSeF. Off: nothing can be sent. Hybrid: only what somebody picks is sent. Automatic: customer invoices are "
             "picked when they are confirmed.")
    ksef_auto_from = fields.Date(
        string="Automatic from",
        help="Only invoices that are confirmed on or after this day, and dated on or after it, are picked by themselves.")
    ksef_duty_from = fields.Date(
        string="Duty to use KSeF from",
        help="Data, od której firma ma obowiązek wystawiania faktur w KSeF: from this day of issue on, an invoice to a business that is "
             "not in KSeF is e-mailed only after a confirmation.")
    ksef_mode_rule_ids = fields.One2many('ksef.mode.rule', 'company_id', string="Rules of sending to KSeF",
                                          groups='l10n_pl_ksef.group_ksef_read')

    def _ksef_mode_company(self):
        """The company whose mode, dates and rules hold for this one (sudo): that of the connection in use."""
        self.ensure_one()
        return self.sudo().ksef_connection_id.company_id or self.sudo()

    def _ksef_sending_mode(self):
        """The mode that holds for this company, whoever asks."""
        return self._ksef_mode_company().ksef_mode

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._ksef_check_mode_rights(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._ksef_check_mode_rights(vals)
        return super().write(vals)

    @api.model
    def _ksef_check_mode_rights(self, vals):
        if MODE_FIELDS & vals.keys() and not self.env.su and not self.env.user.has_group('l10n_pl_ksef.group_ksef_manage'):
            raise AccessError(self.env._("Only users with the right “KSeF: manage” decide what is sent to KSeF. Ask your administrator."))

    def _ksef_set_mode(self, mode, auto_from, duty_from):
        """Change the mode and write down who did it.

        :raise UserError: automatic without a connection, or without its first day
        """
        self.ensure_one()
        connection = self._ksef_connection()
        if mode == 'automatic':
            if not connection or connection.state == 'neutralised':
                raise UserError(self._ksef_unconnected_text())
            if not auto_from:
                raise UserError(self.env._("Enter the day from which confirmed invoices go to KSeF by themselves."))
        labels = dict(self._fields['ksef_mode']._description_selection(self.env))
        body = self.env._(
            "%(user)s has changed sending to KSeF from “%(old)s” to “%(new)s”.", user=self.env.user.name,
            old=labels[self.ksef_mode], new=labels[mode])
        if mode == 'automatic':
            body += " " + self.env._("Automatic from %(day)s.", day=auto_from)
        self.sudo().write({'ksef_mode': mode, 'ksef_auto_from': auto_from, 'ksef_duty_from': duty_from})
        (connection or self.partner_id).sudo().message_post(body=body, author_id=self.env.user.partner_id.id)
