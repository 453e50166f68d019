from odoo import models


class IrHttp(models.AbstractModel):
    _inherit = 'ir.http'

    def session_info(self):
        """Tell the web client where KSeF is connected, so that lists of other companies don't offer it."""
        info = super().session_info()
        user = self.env.user
        if user._is_internal() and user.has_group('l10n_pl_ksef.group_ksef_read'):
            companies = self.env['res.company'].browse(user._get_company_ids())
            actions = (
                'action_move_ksef_send', 'action_move_ksef_refresh_status', 'action_move_ksef_go_offline',
                'action_move_ksef_withdraw_unsent', 'action_ksef_collective_ask')
            info['l10n_pl_ksef'] = {
                'company_ids': companies.filtered(lambda company: company._ksef_connection()).ids,
                'action_ids': [self.env['ir.model.data']._xmlid_to_res_id(f'l10n_pl_ksef.{name}') for name in actions],
            }
        return info
