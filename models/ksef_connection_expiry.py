from datetime import date, datetime, time, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

# Days before the end at which the responsible person is told.
WARNED_DAYS = (30, 14, 7, 1)
# A certificate that the program got itself is renewed this long before its end.
RENEWAL_DAYS = 30
# Until then the law lets tokens log in (system parameter l10n_pl_ksef.token_end changes it).
TOKEN_END = date(2026, 12, 31)
TASK_OF_KIND = {'certificate': 'enroll_authentication', 'offline': 'enroll_offline'}


class KsefCredential(models.Model):
    _inherit = 'ksef.credential'

    warning_activity_id = fields.Many2one('mail.activity', readonly=True, copy=False, ondelete='set null', index='btree_not_null')
    warned_days = fields.Integer(readonly=True, copy=False, help="The last warning told of so many days; 0: none yet.")

    def _get_end(self):
        """When the credential stops serving (datetime), or False when it has no end."""
        self.ensure_one()
        if self.kind == 'token':
            return datetime.combine(self._get_token_end(), time.max).replace(microsecond=0)
        if self.kind == 'signed':
            return self.sudo().refresh_valid_until
        return self.valid_until

    @api.model
    def _get_token_end(self):
        text = self.env['ir.config_parameter'].sudo().get_param('l10n_pl_ksef.token_end')
        try:
            return date.fromisoformat(text) if text else TOKEN_END
        except ValueError:
            return TOKEN_END


class KsefConnection(models.Model):
    """Telling in time that something ends, and renewing what the program can renew by itself."""
    _inherit = ['ksef.connection', 'mail.activity.mixin']
    _name = 'ksef.connection'

    responsible_id = fields.Many2one(
        'res.users', tracking=True, default=lambda self: self.env.user,
        help="Who is told when a certificate or token is about to end, or the connection needs a person.")
    ending_message = fields.Text(compute='_compute_ending_message', compute_sudo=True)
    has_ending_token = fields.Boolean(compute='_compute_ending_message', compute_sudo=True)

    @api.depends('credential_ids.valid_until', 'credential_ids.is_default', 'state')
    def _compute_ending_message(self):
        for connection in self:
            endings = connection._get_endings() if connection.state == 'connected' else []
            connection.has_ending_token = any(credential.kind == 'token' for credential, _days in endings)
            connection.ending_message = "\n".join(self._describe_ending(*ending) for ending in endings) or False

    def _get_endings(self):
        """[(credential, days left)] of what ends within the longest warning and has nothing of its kind beyond."""
        today = self.env['account.move']._ksef_today()
        endings = []
        for credential in self.credential_ids.filtered(lambda one: one.is_default and not one.refusal):
            end = credential._get_end()
            # A login that was signed lives for days at most: that is no ending to be warned of where something else lasts.
            if not end or (credential.kind == 'signed' and credential._get_substitutes()):
                continue
            if credential.kind == 'token' and self.credential_ids.filtered(lambda one: one.kind == 'certificate' and one._can_log_in()):
                continue
            days = (end.date() - today).days
            if days <= WARNED_DAYS[0]:
                endings.append((credential, max(days, 0)))
        return endings

    @api.model
    def _describe_ending(self, credential, days):
        kind = dict(credential._fields['kind']._description_selection(self.env))[credential.kind]
        end = format_date(self.env, credential._get_end().date())
        if credential.kind == 'token':
            return self.env._(
                "%(kind)s: the law lets tokens log in only until %(date)s (days left: %(days)s). Click “Move to "
                "certificates…”.", kind=kind, date=end, days=days)
        return self.env._("%(kind)s “%(name)s” ends on %(date)s (days left: %(days)s).",
                          kind=kind, name=credential.name, date=end, days=days)

    @api.model
    def _cron_ksef_watch(self):
        """Once a day: renew what can be renewed, tell the responsible people about the rest."""
        for connection in self.sudo().search([('state', 'in', ('connected', 'attention'))]):
            if connection.is_copied_database:
                continue
            connection._close_settled_warnings()
            for credential, days in connection._get_endings():
                connection._renew(credential, days)
                connection._warn(credential, days)

    def action_move_to_certificates(self):
        """Connect with a certificate instead of the token: the wizard, at its certificate."""
        action = self.action_connect_again()
        action['name'] = self.env._("Move to certificates")
        action['context'] |= {'default_method': 'certificate'}
        return action

    def action_change_responsible(self):
        """Choose another responsible person."""
        self.ensure_one()
        self._check_manager()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_pl_ksef.action_ksef_connection_responsible')
        action['context'] = {'default_connection_id': self.id, 'default_user_id': self.responsible_id.id}
        return action

    def _set_responsible(self, user):
        """:raise UserError: nobody who works in the company"""
        self.ensure_one()
        if not user:
            raise UserError(self.env._("Choose somebody who works in %(company)s.", company=self.company_id.display_name))
        connection = self.sudo()
        connection.responsible_id = user
        connection.with_context(active_test=False).credential_ids.warning_activity_id.write({'user_id': user.id})

    def _close_settled_warnings(self):
        """Close the activities about what was renewed, replaced or put away meanwhile."""
        for connection in self.sudo():
            ending = {credential.id for credential, _days in connection._get_endings()}
            credentials = connection.with_context(active_test=False).credential_ids.filtered('warning_activity_id')
            connection._close_warnings(credentials.filtered(lambda credential, ending=ending: credential.id not in ending))

    def _close_warnings(self, credentials):
        self._close_activities(credentials.warning_activity_id)

    def _close_activities(self, activities):
        for activity in activities:
            user = activity.user_id or self.env.user
            activity.with_context(lang=user.lang).action_feedback(
                feedback=self.with_context(lang=user.lang).env._("Settled: renewed, replaced or no longer used."))

    def _set_connected(self, permissions, **values):
        """A credential that works may have taken the place of one that ends."""
        super()._set_connected(permissions, **values)
        self._close_settled_warnings()

    def _forget_secrets(self):
        self._close_warnings(self.sudo().with_context(active_test=False).credential_ids)
        super()._forget_secrets()

    def _renew(self, credential, days):
        """Ask KSeF for the next certificate of this kind, where the program got the present one itself."""
        if credential.origin != 'enrolled' or days > RENEWAL_DAYS or self.state != 'connected':
            return
        kind = TASK_OF_KIND[credential.kind]
        recently = fields.Datetime.now() - timedelta(days=1)
        if not self.task_ids.filtered(lambda task: task.kind == kind and task.create_date > recently):
            self.env['ksef.task']._ask(self, kind)

    def _warn(self, credential, days):
        """An activity for the responsible person at each of the warned days, once."""
        threshold = min(limit for limit in WARNED_DAYS if days <= limit)
        if credential.warned_days and credential.warned_days <= threshold:
            return
        credential.warned_days = threshold
        user = self.responsible_id or self.create_uid
        self._close_warnings(credential)
        credential.warning_activity_id = self.with_context(lang=user.lang).activity_schedule(
            'mail.mail_activity_data_warning', user_id=user.id,
            summary=self.with_context(lang=user.lang).env._("KSeF: a credential ends"),
            note=self.with_context(lang=user.lang)._describe_ending(credential, days))
