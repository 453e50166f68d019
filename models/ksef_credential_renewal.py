from odoo import api, models


class KsefCredential(models.Model):
    """Replacing a token by another one."""
    _inherit = 'ksef.credential'

    @api.model
    def _add_token(self, connection, token):
        """Take the rank of default from the former token in the table itself: the index allows one at any moment."""
        former = self.sudo().search(
            [('connection_id', '=', connection.id), ('kind', '=', 'token'), ('is_default', '=', True)])
        former.is_default = False
        former.flush_recordset(['is_default'])
        return super()._add_token(connection, token)
