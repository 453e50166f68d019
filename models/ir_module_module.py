from odoo import models
from odoo.exceptions import UserError

ADDON = 'l10n_pl_ksef'
FORCE_PARAMETER = 'l10n_pl_ksef.allow_uninstall'


class IrModuleModule(models.Model):
    """Uninstalling would delete what proves that invoices were issued: XML, UPO and KSeF numbers."""
    _inherit = 'ir.module.module'

    def button_uninstall(self):
        """Refuse while documents of production would be lost.

        :raise UserError: there are such documents, and the system parameter that gives them up isn't set
        """
        if ADDON in (self | self.downstream_dependencies()).mapped('name'):
            self._ksef_check_uninstall()
        return super().button_uninstall()

    def _ksef_check_uninstall(self):
        count = self.env['ksef.document'].sudo().search_count([
            ('environment', '=', 'production'), ('state', 'in', ('sending', 'unconfirmed', 'sent', 'accepted', 'help'))])
        if count and not self.env['ir.config_parameter'].sudo().get_param(FORCE_PARAMETER):
            raise UserError(self.env._(
                "%(count)s invoices were sent to KSeF in production. Uninstalling would delete their XML, UPO and KSeF numbers, "
                "and the invoices could be sent a second time. Keep the module; if you have saved everything elsewhere, first "
                "set the system parameter %(parameter)s to 1.", count=count, parameter=FORCE_PARAMETER))
