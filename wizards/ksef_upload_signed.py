import base64
import binascii

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..ksef.signed_request import MAX_BYTES

# Base64 of the largest file that is looked at.
LARGEST = MAX_BYTES * 4 // 3 + 4


class KsefUploadSigned(models.TransientModel):
    """Takes the signed login request and checks it before KSeF sees it: a refused one would cost the whole way again."""
    _name = 'ksef.upload.signed'
    _description = "Signed login request"

    connection_id = fields.Many2one('ksef.connection', required=True)
    company_id = fields.Many2one(related='connection_id.company_id')
    valid_until = fields.Datetime(related='connection_id.signing_valid_until')
    # The file names its signer, PESEL included, and is a login for ten minutes: it is kept encrypted, like what "Connect" takes.
    signed_file = fields.Binary(store=False, compute='_compute_signed_file', inverse='_inverse_signed_file')
    signed_secret = fields.Char(groups=fields.NO_ACCESS)
    signed_filename = fields.Char()

    @api.model_create_multi
    def create(self, vals_list):
        self.env['ksef.connection']._check_manager()
        return super().create(vals_list)

    def _compute_signed_file(self):
        self.signed_file = False

    def _inverse_signed_file(self):
        for wizard in self.filtered('signed_file'):
            text = wizard.signed_file.decode() if isinstance(wizard.signed_file, bytes) else wizard.signed_file
            if len(text) > LARGEST:
                raise UserError(self.env._("The file is far too large. Choose the XML file that was downloaded here and then signed."))
            wizard.sudo().signed_secret = self.env['ksef.secret.box']._encrypt(text)

    def action_send(self):
        """Check the file and have a worker log in with it."""
        self.ensure_one()
        connection = self.connection_id
        connection._check_manager()
        self.check_access('write')
        connection.check_access('read')
        connection._check_original()
        try:
            content = base64.b64decode(self.env['ksef.secret.box']._decrypt(self.sudo().signed_secret) or '')
        except (ValueError, binascii.Error):
            raise UserError(self.env._("The file did not arrive whole. Choose it again.")) from None
        credential = connection.sudo().signed_credential_id
        if not content or not credential:
            raise UserError(self.env._("Choose the signed file in the field “Signed file”."))
        credential._take_signed(content)
        connection._start_verification()
        action = connection._get_form_action()
        self.sudo().unlink()
        return action
