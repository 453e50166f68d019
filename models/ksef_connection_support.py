from datetime import timedelta

from markupsafe import Markup
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.release import version as odoo_version
from odoo.tools import format_datetime

# A worker that has not run for so long is not running.
SILENCE = timedelta(minutes=30)
LAST_DOCUMENTS = 10


class KsefConnection(models.Model):
    """What has to be in place (S1-01), and what support needs to know (S0-07)."""
    _inherit = 'ksef.connection'

    checklist = fields.Html(compute='_compute_checklist', compute_sudo=True, sanitize=False)
    support_text = fields.Text(compute='_compute_support_text', compute_sudo=True, groups='l10n_pl_ksef.group_ksef_manage')

    # ------------------------------------------------------------------ checklist

    def _compute_checklist(self):
        for connection in self:
            rows = Markup().join(
                Markup('<tr><td class="{color}"><i class="fa {icon}"/></td><td>{what}</td><td class="text-muted">{hint}</td>'
                       '<td><a href="{link}">{open}</a></td></tr>').format(
                    color='text-success' if good else 'text-danger', icon='fa-check' if good else 'fa-times', what=what,
                    hint='' if good else hint, link=link, open=self.env._("Show"))
                for what, good, hint, link in connection._get_checks())
            connection.checklist = Markup('<table class="table table-sm mb-0">{}</table>').format(rows)

    def _get_checks(self):
        """[(what has to be in place, whether it is, what to do, address where)]; each is looked up here, none asks KSeF."""
        self.ensure_one()
        credential = self.env['ksef.credential']._next_login(self)
        permissions = set((self.permissions or '').split(', '))
        here = f'/odoo/action-l10n_pl_ksef.action_ksef_connection/{self.id}'
        taxpayer_app = self.taxpayer_app_url or here
        return [
            (self.env._("The NIP of the company is right"), self._has_company_nip(),
             self.env._("Correct the field “Tax ID” of the company; the connection was made for the NIP %(nip)s.", nip=self.nip),
             f'/odoo/action-base.action_res_company_form/{self.company_id.id}'),
            (self.env._("The key of the secrets is on this server"), self.env['ksef.secret.box']._can_decrypt(),
             self.env._("Ask the administrator of the server to restore it."), here),
            (self.env._("KSeF's public keys are known and valid"), self._has_public_keys(),
             self.env._("Credentials → Fetch public keys."), here),
            (self.env._("A default certificate or token serves"), bool(credential), self.env._("Connect with a certificate or a token."),
             here),
            (self.env._("KSeF has let the program in"), self.state == 'connected', self.env._("Read the message above."), here),
            (self.env._("The right to issue invoices"), 'InvoiceWrite' in permissions,
             self.env._("Taxpayer application: Uprawnienia → Nadawanie uprawnień → wystawianie faktur."), taxpayer_app),
            (self.env._("The right to fetch invoices"), 'InvoiceRead' in permissions,
             self.env._("Taxpayer application: Uprawnienia → Nadawanie uprawnień → dostęp do faktur."), taxpayer_app),
            (self.env._("Invoices are sent through this connection"), self.is_in_use,
             self.env._("Another connection of the company is in use."), '/odoo/action-l10n_pl_ksef.action_ksef_connection'),
            (self.env._("A sales journal"), self._has_sales_journal(), self.env._("Create one in Invoicing → Configuration → Journals."),
             '/odoo/action-account.action_account_journal_form'),
            (self.env._("The workers are running"), self._are_workers_running(),
             self.env._("Ask your administrator: Settings → Technical → Scheduled Actions → KSeF."), '/odoo/action-base.ir_cron_act'),
            (self.env._("This database is the one that sends"), not self.is_copied_database,
             self.env._("Click “This database sends”."), here),
        ]

    def _has_company_nip(self):
        try:
            return self._company_nip(self.company_id) == self.nip
        except UserError:
            return False

    def _has_sales_journal(self):
        return bool(self.env['account.journal'].search_count(
            [('company_id', '=', self.company_id.id), ('type', '=', 'sale')], limit=1))

    @api.model
    def _are_workers_running(self):
        """Whether one of the pool has run lately, or was made too recently for that."""
        since = fields.Datetime.now() - SILENCE
        return any(
            cron.active and (cron.lastcall or cron.create_date) > since for cron in self.env['ksef.worker']._get_pool())

    # ------------------------------------------------------------------ for support

    def _compute_support_text(self):
        module = self.env['ir.module.module'].sudo().search([('name', '=', 'l10n_pl_ksef')])
        for connection in self:
            lines = [
                f"Odoo {odoo_version}, l10n_pl_ksef {module.installed_version}",
                f"{connection.get_base_url()}, database {self.env.cr.dbname}",
                f"{connection.company_id.name}, NIP {connection.nip}, {connection.environment} (connection {connection.id})",
                f"state {connection.state}, code {connection.error_code or '-'}, verified {connection.verified_at or '-'} UTC",
                f"rights: {connection.permissions or '-'}",
                connection.status_message or '',
                *connection._support_credentials(), *connection._support_documents(), *connection._support_tasks(),
                *(f"{'ok ' if good else 'NOT'} {what}" for what, good, *_rest in connection._get_checks()),
            ]
            connection.support_text = "\n".join(filter(None, lines))

    def _support_credentials(self):
        for credential in self.credential_ids:
            name = credential.token_reference or credential.certificate_serial or ''
            yield (f"{credential.kind} {name}: {credential.state}, default {credential.is_default}, until {credential.valid_until or '-'}, "
                   f"last used {credential.last_used or '-'}, {credential.refused_code or ''}").rstrip(', ')

    def _support_documents(self):
        for document in self.env['ksef.document'].search([('connection_id', '=', self.id)], limit=LAST_DOCUMENTS, order='id desc'):
            yield (f"document {document.id}: {document.state}, {document.reference_number or '-'}, {document.status_code or '-'} "
                   f"{document.status_description or ''} ({format_datetime(self.env, document.write_date, tz='UTC')} UTC)")

    def _support_tasks(self):
        for task in self.task_ids[:5]:
            yield f"task {task.kind}: {task.state}, attempts {task.attempts}, {task.create_date} UTC"
