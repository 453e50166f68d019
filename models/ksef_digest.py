from datetime import timedelta

from markupsafe import Markup
from odoo import api, fields, models

# States of own invoices that nobody but a person can change.
WAITING = ('blocked', 'help', 'invalid', 'rejected')
# What is counted, in the order of the digest, and where it is looked at.
DIGEST = (
    ('new', 'ksef-invoices'), ('to_book', 'ksef-invoices'), ('failed', 'ksef-invoices'), ('accepted', 'ksef-documents'),
    ('waiting', 'ksef-documents'))


class ResCompany(models.Model):
    """Once a day, what KSeF brought and what waits for a person, to those who want to be told."""
    _inherit = 'res.company'

    ksef_digest_user_ids = fields.Many2many(
        'res.users', 'res_company_ksef_digest_user_rel', string="KSeF digest for",
        help="They are told once a day, by mail or in Odoo as each of them prefers, when something came or waits.")
    ksef_digest_at = fields.Datetime(readonly=True, help="When the last digest was made.")

    @api.model
    def _cron_ksef_digest(self):
        """Tell the chosen people of every company what is new; say nothing where nothing is."""
        for company in self.sudo().search([('ksef_digest_user_ids', '!=', False)]):
            company._ksef_send_digest()
            self.env['ir.cron']._commit_progress(1)

    def _ksef_send_digest(self):
        self.ensure_one()
        connection = self._ksef_connection().sudo()
        since = self.ksef_digest_at or fields.Datetime.now() - timedelta(days=1)
        self.ksef_digest_at = fields.Datetime.now()
        if not connection or connection.is_copied_database:
            return
        counts = self._ksef_digest_counts(since)
        if not any(counts.values()):
            return
        for user in self.ksef_digest_user_ids.filtered(lambda one: one.active and self in one.company_ids):
            company = self.with_context(lang=user.lang)
            self.env['mail.thread'].message_notify(
                partner_ids=user.partner_id.ids, subject=company.env._("KSeF: %(company)s", company=self.name),
                body=company._ksef_digest_body(since, counts))

    def _ksef_digest_counts(self, since):
        """{what: how many} of this company, not of those above or below it; ``since`` (naive UTC) bounds what counts as new."""
        received, documents, moves = (self.env[name].sudo() for name in ('ksef.received', 'ksef.document', 'account.move'))
        own = [('company_id', '=', self.id)]
        purchases = [*own, ('role', '=', 'buyer')]
        return {
            'new': received.search_count([*purchases, ('create_date', '>=', since)]),
            'to_book': received.search_count([*purchases, ('state', '=', 'stored')]),
            'failed': received.search_count([*own, ('state', '=', 'failed')]),
            'accepted': documents.search_count([*own, ('state', '=', 'accepted'), ('acquisition_date', '>=', since)]),
            'waiting': moves.search_count([*own, ('ksef_state', 'in', WAITING)]),
        }

    def _ksef_digest_body(self, since, counts):
        """What the counts say, as a list with links."""
        labels = (
            self.env._("new invoices received"), self.env._("received invoices without a bill"),
            self.env._("received invoices that failed"),
            self.env._("own invoices accepted"), self.env._("own invoices that wait for a person"))
        url = self.get_base_url()
        items = Markup().join(
            Markup('<li><b>%s</b> <a href="%s">%s</a></li>') % (counts[name], f'{url}/odoo/{path}', label)
            for (name, path), label in zip(DIGEST, labels, strict=True) if counts[name])
        return Markup("<p>%s</p><ul>%s</ul>") % (self.env._("Since %(day)s:", day=fields.Date.to_string(since)), items)


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    ksef_digest_user_ids = fields.Many2many(related='company_id.ksef_digest_user_ids', readonly=False)
