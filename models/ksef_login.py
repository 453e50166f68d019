from odoo import api, fields, models

_LABELS = ('method_category', 'method')


class KsefLogin(models.Model):
    """An open login to KSeF in the context of a connection, as KSeF listed it when somebody asked."""
    _name = 'ksef.login'
    _description = "KSeF login"
    _order = 'started_at desc, id desc'
    _rec_name = 'reference_number'

    connection_id = fields.Many2one('ksef.connection', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='connection_id.company_id', store=True, index=True)
    reference_number = fields.Char(readonly=True, help="Numer referencyjny uwierzytelnienia")
    method = fields.Char(readonly=True)
    is_current = fields.Boolean(string="This program", readonly=True)
    started_at = fields.Datetime(readonly=True)
    valid_until = fields.Datetime(readonly=True)

    @api.model
    def _store(self, connection, logins):
        """Replace what was known by KSeF's list (``ksef.types.LoginSession``)."""
        logins_model = self.sudo()
        logins_model.search([('connection_id', '=', connection.id)]).unlink()
        utc = self.env['ksef.worker']._utc
        logins_model.create([{
            'connection_id': connection.id,
            'reference_number': login.reference_number,
            'method': " / ".join(filter(None, (getattr(login, label) for label in _LABELS))),
            'is_current': login.is_current,
            'started_at': utc(login.started_at),
            'valid_until': utc(login.refresh_valid_until),
        } for login in logins])

    def action_end(self):
        """Log this one out: its access can't be renewed any more."""
        connections = self.env['ksef.connection']
        connections._check_manager()
        self.check_access('read')
        for login in self:
            login.connection_id._ask_ksef('end_login', parameters={'reference': login.reference_number})
