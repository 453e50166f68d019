from odoo import api, fields, models


class KsefFetch(models.Model):
    """What a fetch tells the person who asked for it; above all, why it found nothing (S1-13)."""
    _inherit = 'ksef.fetch'

    explanation = fields.Text(compute='_compute_explanation', string="Why nothing came")
    calls_left = fields.Integer(related='connection_id.fetch_calls_left', string="Fetches left this hour")
    calls_allowed = fields.Integer(related='connection_id.fetch_calls_allowed')
    environment = fields.Selection(related='connection_id.environment')

    @api.depends('state', 'seen_count', 'message', 'connection_id.state', 'connection_id.permissions')
    @api.depends_context('lang')
    def _compute_explanation(self):
        for fetch in self:
            is_empty = fetch.state == 'done' and not fetch.seen_count
            is_stuck = fetch.state == 'running' and fetch.sudo().connection_id.state != 'connected'
            fetch.explanation = "\n".join(
                f"{'✓' if is_fine else '✗'} {text}" for is_fine, text in fetch._checks()) if is_empty or is_stuck else False

    def _checks(self):
        """The four checks behind an empty result: [(passed, what to know)]."""
        self.ensure_one()
        connection = self.sudo().connection_id
        labels = dict(self._fields['role']._description_selection(self.env))
        environments = dict(connection._fields['environment']._description_selection(self.env))
        return [
            self._check_login(connection),
            (connection.environment == 'production', self.env._(
                "Environment: %(environment)s. Real invoices are in production only.",
                environment=environments[connection.environment])),
            (self.role == 'buyer', self.env._(
                "Perspective: %(role)s. Costs (faktury zakupu) are found in the perspective “%(buyer)s”, and only when the supplier "
                "put the NIP %(nip)s in the field for the buyer's NIP.",
                role=labels[self.role], buyer=labels['buyer'], nip=connection.nip)),
            self._check_dates(),
        ]

    def _check_login(self, connection):
        if connection.state != 'connected':
            return False, self.env._(
                "Login: %(company)s is not logged in to KSeF now. %(message)s",
                company=connection.company_id.display_name, message=connection.status_message or '')
        if connection.permissions and 'InvoiceRead' not in connection.permissions:
            return False, self.env._("Login: the credential lacks the right “dostęp do faktur”.")
        return True, self.env._("Login: %(company)s is logged in to KSeF and may read invoices.",
                                company=connection.company_id.display_name)

    def _check_dates(self):
        if not self.until:
            return True, self.env._("Dates: everything since the last fetch.")
        start, end = (fields.Datetime.context_timestamp(
            self.with_context(tz='Europe/Warsaw'), self._moment(text).replace(tzinfo=None)).date()
            for text in (self.started_from, self.until))
        values = {'start': fields.Date.to_string(start), 'end': fields.Date.to_string(end)}
        if self.date_type == 'issue':
            return False, self.env._(
                "Dates: no invoice was issued between %(start)s and %(end)s. An older one that reached KSeF in these days is "
                "found by its receipt.", **values)
        return False, self.env._(
            "Dates: no invoice reached KSeF between %(start)s and %(end)s. One that was issued then may have reached it later.",
            **values)

    def action_open_received(self):
        """Show the received invoices of the company and role."""
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_pl_ksef.action_ksef_received')
        return action | {'context': {}, 'domain': [('connection_id', '=', self.connection_id.id), ('roles', 'like', self.role)]}
