from odoo import api, fields, models

from .ksef_connect_certificate import FILES


class KsefConnect(models.TransientModel):
    """What the wizard has kept of an attempt that failed: named, and taken back when it was the wrong file."""
    _inherit = 'ksef.connect'

    kept_files = fields.Char(compute='_compute_kept_files', help="Files and password of the last attempt; they are kept encrypted.")

    @api.depends('files_secret', 'certificate_filename', 'key_filename')
    @api.depends_context('lang')
    def _compute_kept_files(self):
        labels = {
            'certificate_file': self.env._("certificate"), 'key_file': self.env._("private key"), 'password': self.env._("password")}
        names = {'certificate_file': 'certificate_filename', 'key_file': 'key_filename'}
        for wizard in self:
            kept = wizard._origin._kept() if wizard._origin else {}
            wizard.kept_files = ", ".join(
                f"{labels[field]} ({wizard[names[field]]})" if field in FILES and wizard[names[field]] else labels[field]
                for field in labels if kept.get(field)) or False

    def action_remove_files(self):
        """Forget the files and the password; everything else that was entered stays."""
        self.ensure_one()
        self.env['ksef.connection']._check_manager()
        self.check_access('write')
        self.sudo().write({'files_secret': False, 'certificate_filename': False, 'key_filename': False})
        self.invalidate_recordset([*FILES, 'password'])
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Connect to KSeF"),
            'res_model': self._name,
            'res_id': self.id,
            'views': [(False, 'form')],
            'target': 'new',
        }
