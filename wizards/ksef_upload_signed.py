import base64
import binascii

from odoo import api, fields, models
from odoo.exceptions import UserError


class KsefUploadSigned(models.TransientModel):
    """Takes the signed login request and checks it before KSeF sees it: a refused one would cost the whole way again."""
    _name = 'ksef.upload.signed'
    _description = "Signed login request"

    connection_id = fields.Many2one('ksef.connection', required=True)
    company_id = fields.Many2one(related='connection_id.company_id')
    valid_until = fields.Datetime(related='connection_id.signing_valid_until')
    signed_file = fields.Binary(string="Signed file", attachment=False, required=True)
    signed_filename = fields.Char()

    @api.model_create_multi
    def create(self, vals_list):
        self.env['ksef.connection']._check_manager()
        return super().create(vals_list)

    def action_send(self):
        """Check the file and have a worker log in with it."""
        self.ensure_one()
        connection = self.connection_id
        connection._check_manager()
        self.check_access('write')
        connection.check_access('read')
        try:
            content = base64.b64decode(self.signed_file or b'')
        except (ValueError, binascii.Error):
            raise UserError(self.env._("The file did not arrive whole. Choose it again.")) from None
        connection.sudo().signed_credential_id._take_signed(content)
        connection._start_verification()
        action = connection._get_form_action()
        self.sudo().unlink()
        return action
