from odoo import models
from odoo.exceptions import UserError


class KsefCredential(models.Model):
    """What an administrator does with one of several credentials (S1-02, S1-04)."""
    _inherit = 'ksef.credential'

    def _check_manager(self):
        self.env['ksef.connection']._check_manager()
        self.check_access('read')

    def action_make_default(self):
        """Use this one of its kind from now on, after a worker has shown it to KSeF."""
        self.ensure_one()
        self._check_manager()
        self.connection_id._check_original()
        credential = self.sudo()
        if credential.state == 'ended':
            raise UserError(self.env._("This one has ended and logs in no more."))
        if not credential.secret:
            raise UserError(self.env._("This one has no secret any more: connect with it again."))
        credential.connection_id.credential_ids.filtered(
            lambda other: other.kind == credential.kind and other.is_default).is_default = False
        credential.flush_model(['is_default'])
        credential.write({'is_default': True, 'active': True, 'is_unverified': credential.kind != 'offline'})
        if credential.kind != 'offline':
            credential.connection_id._start_verification()

    def action_archive(self):
        """Put it away; it can be made the default again later."""
        self._check_manager()
        self.sudo().write({'active': False, 'is_default': False})
        self.connection_id._close_settled_warnings()
        return True

    def action_revoke(self):
        """Revoke it at KSeF, for good (S3-13): invoices that were issued stay valid."""
        self.ensure_one()
        self._check_manager()
        if self.kind == 'token' and self.token_reference:
            kind, parameters = 'revoke_token', {'reference': self.token_reference}
        elif self.kind in ('certificate', 'offline') and self.certificate_serial:
            kind, parameters = 'revoke_certificate', {'serial': self.certificate_serial}
        else:
            raise UserError(self.env._("This one cannot be revoked from here. Revoke it in the taxpayer application."))
        return self.connection_id._ask_ksef(kind, credential_id=self.id, parameters=parameters)


class KsefTask(models.Model):
    _inherit = 'ksef.task'

    def _credential_revoked(self):
        """KSeF no longer takes the credential: its secret goes, and the next one logs in."""
        credential = self.credential_id
        if credential:
            credential._forget_login()
            credential.write({'active': False, 'is_default': False, 'secret': False})
            self.connection_id._close_settled_warnings()
        self._set_done(self.env._("Revoked. Invoices that were issued with it stay valid."))
        connection = self.connection_id
        if connection.state == 'connected' and credential and credential.kind != 'offline':
            connection._start_verification()
