from odoo import api, models

POOL_PARAMETER = 'l10n_pl_ksef.worker_count'


class IrConfigParameter(models.Model):
    """The pool of workers follows its parameter at once."""
    _inherit = 'ir.config_parameter'

    @api.model_create_multi
    def create(self, vals_list):
        parameters = super().create(vals_list)
        if POOL_PARAMETER in parameters.mapped('key'):
            self.env['ksef.worker']._adjust_pool()
        return parameters

    def write(self, vals):
        result = super().write(vals)
        if POOL_PARAMETER in self.mapped('key'):
            self.env['ksef.worker']._adjust_pool()
        return result
