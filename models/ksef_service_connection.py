from odoo import api, fields, models

# What KSeF may have asked to wait with, in the order in which it is told.
PAUSES = ('paused_until', 'send_paused_until', 'read_paused_until', 'fetch_paused_until', 'download_paused_until')


class KsefConnection(models.Model):
    """What a person wants to know while nothing moves: until when, and what the Ministry says about it."""
    _inherit = 'ksef.connection'

    service_level = fields.Char(compute='_compute_service')
    service_message = fields.Char(string="State of KSeF", compute='_compute_service')
    wait_message = fields.Text(compute='_compute_wait_message')

    @api.depends('environment', 'local_url')
    @api.depends_context('lang', 'uid')
    def _compute_service(self):
        for connection in self:
            connection.service_level, connection.service_message = connection._describe_service()

    def _describe_service(self):
        """(level, sentence) about the environment of this connection, or (False, False)."""
        self.ensure_one()
        return self.env['ksef.service.state']._describe(self._get_environment())

    @api.depends(*PAUSES)
    @api.depends_context('lang', 'uid')
    def _compute_wait_message(self):
        texts = {
            'paused_until': self.env._("The next attempt to reach KSeF is made by itself at %(time)s."),
            'send_paused_until': self.env._("KSeF asked to wait with sending until %(time)s."),
            'read_paused_until': self.env._("KSeF asked to wait with questions until %(time)s."),
            'fetch_paused_until': self.env._("KSeF asked to wait with lists of invoices until %(time)s."),
            'download_paused_until': self.env._("KSeF asked to wait with downloads until %(time)s."),
        }
        now, states = fields.Datetime.now(), self.env['ksef.service.state']
        for connection in self:
            connection.wait_message = "\n".join(
                texts[name] % {'time': states._show_moment(connection[name])}
                for name in PAUSES if connection[name] and connection[name] > now) or False


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_connection_alerts(self, document):
        """Until when KSeF asked to wait, and what the Ministry says, above the connection's own trouble."""
        alerts = super()._ksef_connection_alerts(document)
        connection = document.connection_id
        now, states = fields.Datetime.now(), self.env['ksef.service.state']
        until = connection.send_paused_until if self.ksef_state in ('queued', 'blocked') else connection.read_paused_until
        if until and until > now and self.ksef_state != 'picked':
            alerts['wait'] = {'level': 'info', 'message': self.env._(
                "KSeF asked to wait until %(time)s (limit of calls). The program goes on by itself then; you need not do anything.",
                time=states._show_moment(until))}
        level, message = connection._describe_service()
        if message:
            alerts['service'] = {'level': 'warning' if level == 'danger' else 'info', 'message': message}
        return alerts
