from datetime import timedelta

from odoo import api, fields, models

# Tokens are renewed this long before they end, so that none ends between the check and the call.
RENEWAL_MARGIN = timedelta(seconds=90)
# In this order the program logs in; a credential that was just added comes first, to see whether it works.
LOGIN_KINDS = ('certificate', 'signed', 'token')


class KsefCredential(models.Model):
    """A way into KSeF for one connection, with the login that came from it.

    Every secret is encrypted (see ksef.secret.box) and readable by no group, administrators included; the program reads
    it through :meth:`_reveal` alone.
    """
    _name = 'ksef.credential'
    _description = "KSeF credential"
    _order = 'is_default desc, id desc'

    connection_id = fields.Many2one('ksef.connection', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='connection_id.company_id', store=True, index=True)
    name = fields.Char(required=True)
    kind = fields.Selection(
        [
            ('certificate', "KSeF certificate"),
            ('offline', "Offline certificate"),
            ('token', "KSeF token"),
            ('signed', "Signed login"),
        ],
        required=True, default='token', help="What the program shows to KSeF when it logs in.")
    is_default = fields.Boolean(string="Default", help="Of each kind the program uses this one.")
    active = fields.Boolean(default=True)
    token_reference = fields.Char(
        string="Token reference number", readonly=True, help="Numer referencyjny tokena: names the token without giving it away.")
    last_used = fields.Datetime(readonly=True)
    is_unverified = fields.Boolean(readonly=True, copy=False, help="Not yet shown to KSeF.")
    login_failures = fields.Integer(readonly=True, copy=False, help="Logins in a row that failed for a passing reason.")
    retry_at = fields.Datetime(readonly=True, copy=False, help="A new credential that cannot log in now is tried again then.")
    refused_code = fields.Char(string="KSeF code", readonly=True, copy=False)
    refusal = fields.Text(string="Why KSeF refused it", readonly=True, copy=False)

    secret = fields.Char(groups=fields.NO_ACCESS, copy=False)
    # The login in progress: its reference, and whether its tokens were already asked for (that can be done only once).
    login_reference = fields.Char(groups=fields.NO_ACCESS, copy=False)
    login_secret = fields.Char(groups=fields.NO_ACCESS, copy=False)
    login_valid_until = fields.Datetime(groups=fields.NO_ACCESS, copy=False)
    login_redeeming = fields.Boolean(groups=fields.NO_ACCESS, copy=False)
    access_secret = fields.Char(groups=fields.NO_ACCESS, copy=False)
    access_valid_until = fields.Datetime(groups=fields.NO_ACCESS, copy=False)
    refresh_secret = fields.Char(groups=fields.NO_ACCESS, copy=False)
    refresh_valid_until = fields.Datetime(groups=fields.NO_ACCESS, copy=False)

    _one_default = models.UniqueIndex(
        '(connection_id, kind) WHERE is_default AND active', "A connection has one default credential of each kind.")

    @api.model
    def _add_token(self, connection, token):
        """Store ``token`` (plain text) as the default token of the connection and return the record."""
        # "<reference>|<context>|<64 hex>": the first part names the token in KSeF's own lists and is no secret.
        reference = token.split('|', 1)[0] if '|' in token else False
        return self._add_default(connection, 'token', {
            'name': self.env._("Token %(reference)s", reference=reference or ''),
            'token_reference': reference,
            'secret': self.env['ksef.secret.box']._encrypt(token),
        })

    @api.model
    def _add_default(self, connection, kind, values):
        """Create a credential that is the default of its kind from now on; return it."""
        self = self.sudo()
        former = self.search([('connection_id', '=', connection.id), ('kind', '=', kind), ('is_default', '=', True)])
        former.is_default = False
        # The index allows one default at any moment, so the former one steps back in the table before the new one comes.
        former.flush_recordset(['is_default'])
        return self.create(values | {
            'connection_id': connection.id, 'kind': kind, 'is_default': True, 'is_unverified': kind != 'offline'})

    @api.model
    def _next_login(self, connection):
        """The default credential to log in with: new ones first, then in the order of LOGIN_KINDS; empty when none serves."""
        defaults = self.sudo().search([
            ('connection_id', '=', connection.id), ('is_default', '=', True), ('kind', 'in', LOGIN_KINDS), ('refusal', '=', False)])
        postponed = defaults.filtered(lambda credential: credential._is_postponed())
        found = (defaults - postponed).filtered(lambda credential: credential._can_log_in())
        for newcomer in postponed:
            found |= newcomer._get_substitutes().filtered(
                lambda other, kind=newcomer.kind: other.kind == kind and not other.is_unverified)[:1]
        # Where nothing else is left, the one that could not log in is what there is.
        found = found or postponed.filtered(lambda credential: credential._can_log_in())
        return found.sorted(lambda credential: (not credential.is_unverified, LOGIN_KINDS.index(credential.kind)))[:1]

    def _is_postponed(self):
        """Whether it is a new one that cannot log in for a passing reason and is tried again later."""
        return bool(self.retry_at) and self.retry_at > fields.Datetime.now()

    def _stands_in(self):
        """Whether it serves while the new default of its kind cannot log in."""
        self.ensure_one()
        return bool(self.sudo().search_count([
            ('connection_id', '=', self.connection_id.id), ('kind', '=', self.kind), ('is_default', '=', True),
            ('is_unverified', '=', True), ('retry_at', '!=', False)], limit=1))

    def _can_log_in(self):
        """Whether there is something to show to KSeF, or a login that still lives. Other kinds add theirs."""
        self.ensure_one()
        return self.kind == 'token' and bool(self.sudo().secret)

    def _get_login_call(self):
        """A function of the client that begins a login and returns its ``ksef.types.AuthOperation``.

        It is called after the transaction has ended, so everything that it needs is read here.
        """
        self.ensure_one()
        context, token = self.connection_id._get_context(), self._reveal('secret')
        return lambda client: client.start_token_login_with_fresh_key(context, token)

    def _refuse(self, code, message):
        """KSeF does not take this one; it is left alone until a person acts, and the former one of its kind serves again."""
        self.ensure_one()
        credential = self.sudo()
        credential.write({'refused_code': code, 'refusal': message, 'is_unverified': False})
        former = credential._get_substitutes().filtered(lambda other: other.kind == credential.kind and not other.is_default)[:1]
        if former and credential.is_default:
            credential.is_default = False
            credential.flush_recordset(['is_default'])
            former.is_default = True

    def _get_substitutes(self):
        """Other credentials of the connection that could log in, newest first."""
        self.ensure_one()
        others = self.sudo().search(
            [('connection_id', '=', self.connection_id.id), ('id', '!=', self.id), ('refusal', '=', False)], order='id desc')
        return others.filtered(lambda other: (other.is_default or other.kind == self.kind) and other._can_log_in())

    def _reveal(self, field_name):
        """The plain text behind one secret field: the only place where secrets are read."""
        self.ensure_one()
        return self.env['ksef.secret.box']._decrypt(self.sudo()[field_name])

    def _get_access_token(self):
        """The access token when it is good for a while yet, else False."""
        self.ensure_one()
        credential = self.sudo()
        if not credential.access_secret or credential.access_valid_until <= fields.Datetime.now() + RENEWAL_MARGIN:
            return False
        return credential._reveal('access_secret')

    def _get_refresh_token(self):
        """The refresh token when it is good for a while yet, else False."""
        self.ensure_one()
        credential = self.sudo()
        if not credential.refresh_secret or credential.refresh_valid_until <= fields.Datetime.now() + RENEWAL_MARGIN:
            return False
        return credential._reveal('refresh_secret')

    def _store_login_started(self, operation):
        """Keep the login that KSeF has begun, so that another run can go on with it."""
        self.sudo().write({
            'login_reference': operation.reference_number,
            'login_secret': self.env['ksef.secret.box']._encrypt(operation.token.value.reveal()),
            'login_valid_until': operation.token.valid_until.replace(tzinfo=None),
            'login_redeeming': False,
        })

    def _store_tokens(self, access, refresh=None):
        """Keep the access token and, after a login, the refresh token (``ksef.types.Token``)."""
        box = self.env['ksef.secret.box']
        values = {
            'access_secret': box._encrypt(access.value.reveal()),
            'access_valid_until': access.valid_until.replace(tzinfo=None),
            'last_used': fields.Datetime.now(),
        }
        if refresh:
            values |= {
                'refresh_secret': box._encrypt(refresh.value.reveal()),
                'refresh_valid_until': refresh.valid_until.replace(tzinfo=None),
            } | self._no_login_values()
        self.sudo().write(values)

    @api.model
    def _no_login_values(self):
        return dict.fromkeys(('login_reference', 'login_secret', 'login_valid_until', 'login_redeeming'), False)

    def _forget_access(self):
        """KSeF no longer takes the access token: the next call gets a new one from the refresh token."""
        self.sudo().write({'access_secret': False, 'access_valid_until': False})

    def _restart(self):
        """Try everything again, from the beginning where that needs no person."""
        credentials = self.sudo()
        credentials.write({'refused_code': False, 'refusal': False, 'retry_at': False, 'login_failures': 0})
        credentials._forget_access()
        credentials.filtered(lambda credential: credential.kind != 'signed')._forget_login()

    def _login_not_sent(self):
        """The call that begins a login certainly did not reach KSeF."""

    def _forget_login(self):
        """Start the next call with a new login."""
        self.sudo().write(self._no_login_values() | dict.fromkeys(
            ('access_secret', 'access_valid_until', 'refresh_secret', 'refresh_valid_until'), False))
