from odoo import api, fields, models
from odoo.exceptions import UserError

# What KSeF can be asked to take away, and how.
REVOCABLE_KINDS = ('person', 'entity', 'authorization', 'token')
STATES = {
    'Active': 'active', 'Inactive': 'inactive', 'Pending': 'pending', 'Revoking': 'revoking', 'Revoked': 'inactive', 'Failed': 'inactive',
}


class KsefPermission(models.Model):
    """Who may do what for a NIP in KSeF: a mirror of KSeF's own lists, replaced as a whole whenever they are asked for.

    One row is one right as KSeF gives it (uprawnienie), with the identifier by which it is taken away; a token is one row
    with all of its rights. The rows are never edited: giving and taking go through KSeF.
    """
    _name = 'ksef.permission'
    _description = "Right in KSeF"
    _order = 'kind, holder, holder_identifier, scopes, id'
    _rec_name = 'holder'

    connection_id = fields.Many2one('ksef.connection', required=True, index=True, readonly=True, ondelete='cascade')
    company_id = fields.Many2one(related='connection_id.company_id', store=True, index=True)
    kind = fields.Selection(
        [
            ('owner', "Owner"),
            ('person', "Person"),
            ('entity', "Entity"),
            ('authorization', "Authorisation between entities"),
            ('token', "Token"),
            ('received', "Given to us by others"),
        ],
        required=True, readonly=True)
    ksef_id = fields.Char(string="Identifier in KSeF", readonly=True, help="Identyfikator uprawnienia, or the token's reference number")
    holder = fields.Char(string="Who", readonly=True, help="Who has the right, as KSeF names them")
    holder_identifier = fields.Char(string="Identifier", readonly=True, help="NIP, PESEL or fingerprint; of a PESEL the last digits only")
    scopes = fields.Char(string="KSeF's names", readonly=True)
    rights = fields.Char(compute='_compute_rights', help="Uprawnienia: what they allow")
    state = fields.Selection(
        [
            ('active', "Valid"),
            ('pending', "Being made"),
            ('revoking', "Being taken away"),
            ('inactive', "Not valid"),
            ('other', "Unknown"),
        ],
        required=True, readonly=True)
    can_delegate = fields.Boolean(string="May pass it on", readonly=True, help="Możliwość dalszego przekazywania uprawnienia")
    way = fields.Selection(
        [('direct', "Direct"), ('indirect', "Through an entity")], readonly=True,
        help="Directly (bezpośrednio), or passed on by an entity for its clients (pośrednio)")
    target = fields.Char(string="For", readonly=True, help="For whom the right was passed on, or who gave it to us")
    granted_by = fields.Char(readonly=True, help="Who gave it")
    granted_at = fields.Datetime(string="Given on", readonly=True)
    last_used_at = fields.Datetime(string="Last used", readonly=True)
    description = fields.Char(readonly=True)
    is_own = fields.Boolean(string="This program", readonly=True, help="What this program logs in with has this right.")
    can_revoke = fields.Boolean(compute='_compute_can_revoke')

    @api.depends('scopes')
    @api.depends_context('lang')
    def _compute_rights(self):
        label = self.env['ksef.connection']._permission_label
        for permission in self:
            permission.rights = ", ".join(label(name) for name in (permission.scopes or '').split(', ') if name)

    @api.depends('kind', 'ksef_id', 'state')
    def _compute_can_revoke(self):
        for permission in self:
            permission.can_revoke = bool(
                permission.ksef_id and permission.kind in REVOCABLE_KINDS and permission.state != 'revoking')

    # ------------------------------------------------------------------ the mirror

    @api.model
    def _store(self, connection, snapshot):
        """Replace what was known by what KSeF says now.

        :param snapshot: :class:`~.ksef_worker_permission.Snapshot`
        """
        rows = self.sudo()
        rows.search([('connection_id', '=', connection.id)]).unlink()
        tokens = set(connection.with_context(active_test=False).credential_ids.mapped('token_reference')) - {False}
        values = [
            *self._owner_values(connection, snapshot),
            *(self._person_values(grant, snapshot.own_ids) for grant in snapshot.persons),
            *(self._personal_values(connection, grant) for grant in snapshot.unlisted_own),
            *(self._authorization_values(grant) for grant in snapshot.authorizations),
            *(self._received_authorization_values(grant) for grant in snapshot.authorizations_received),
            *(self._received_values(grant) for grant in snapshot.entities),
            *(self._token_values(token, tokens) for token in snapshot.tokens),
        ]
        rows.create([one | {'connection_id': connection.id} for one in values])
        connection.sudo().write({'permissions_at': fields.Datetime.now(), 'permissions_partial': snapshot.is_partial})

    def _owner_values(self, connection, snapshot):
        """What an owner has by law; nobody gives it and nobody takes it away."""
        if not snapshot.owner_scopes:
            return []
        return [{
            'kind': 'owner', 'holder': connection.company_id.name, 'holder_identifier': f"NIP {connection.nip}",
            'scopes': ", ".join(snapshot.owner_scopes), 'state': 'active', 'way': 'direct', 'is_own': True,
        }]

    def _person_values(self, grant, own_ids):
        return {
            'kind': 'entity' if grant.is_entity else 'person', 'ksef_id': grant.id,
            'holder': grant.name or self._identifier_text(grant.authorized),
            'holder_identifier': self._identifier_text(grant.authorized), 'scopes': grant.scope,
            'state': STATES.get(grant.state, 'other'), 'can_delegate': grant.can_delegate,
            'way': 'indirect' if grant.target else 'direct',
            'target': self._identifier_text(grant.target or grant.context),
            'is_own': grant.id in own_ids,
        } | self._origin_values(grant)

    def _personal_values(self, connection, grant):
        """A right of this program's own that stands in no list of others: passed on by somebody, or others can't be seen."""
        return {
            'kind': 'person', 'holder': self.env._("What this program logs in with"), 'scopes': grant.scope,
            'state': STATES.get(grant.state, 'other'), 'can_delegate': grant.can_delegate, 'is_own': True,
            'way': 'direct' if not grant.context or grant.context.value in (connection.nip, connection.internal_id) else 'indirect',
            'granted_at': self.env['ksef.worker']._utc(grant.started_at), 'description': grant.description,
        }

    def _authorization_values(self, grant):
        return {
            'kind': 'authorization', 'ksef_id': grant.id, 'holder': grant.name or self._identifier_text(grant.authorized),
            'holder_identifier': self._identifier_text(grant.authorized), 'scopes': grant.scope, 'state': 'active', 'way': 'direct',
        } | self._origin_values(grant)

    def _received_authorization_values(self, grant):
        return {
            'kind': 'received', 'ksef_id': grant.id, 'holder': self._identifier_text(grant.authorizing),
            'holder_identifier': self._identifier_text(grant.authorizing), 'scopes': grant.scope, 'state': 'active', 'way': 'direct',
        } | self._origin_values(grant)

    def _received_values(self, grant):
        giver = self._identifier_text(grant.context)
        return {
            'kind': 'received', 'ksef_id': grant.id, 'holder': giver, 'holder_identifier': giver, 'scopes': grant.scope,
            'state': 'active', 'can_delegate': grant.can_delegate, 'way': 'direct',
            'granted_at': self.env['ksef.worker']._utc(grant.started_at), 'description': grant.description,
        }

    def _token_values(self, token, own_references):
        utc = self.env['ksef.worker']._utc
        return {
            'kind': 'token', 'ksef_id': token.reference_number, 'holder': token.description or token.reference_number,
            'holder_identifier': token.reference_number, 'scopes': ", ".join(sorted(token.requested_permissions)),
            'state': STATES.get(token.status, 'other'), 'way': 'direct', 'granted_by': self._identifier_text(token.author),
            'granted_at': utc(token.created_at), 'last_used_at': utc(token.last_used_at), 'description': token.description,
            'is_own': token.reference_number in own_references,
        }

    def _origin_values(self, grant):
        return {
            'granted_by': self._identifier_text(grant.author), 'description': grant.description,
            'granted_at': self.env['ksef.worker']._utc(grant.started_at),
        }

    @api.model
    def _identifier_text(self, identifier):
        """An identifier (``ksef.types.Identifier`` or ``Context``) as people know it, or False."""
        if not identifier:
            return False
        value = getattr(identifier, 'masked', identifier.value)
        labels = {
            'Nip': f"NIP {value}", 'Pesel': f"PESEL {value}", 'System': self.env._("KSeF itself (for example by the form ZAW-FA)"),
            'AllPartners': self.env._("all clients"), 'Fingerprint': self.env._("certificate %(fingerprint)s", fingerprint=value),
        }
        return labels.get(identifier.type, value)

    # ------------------------------------------------------------------ buttons

    def action_revoke(self):
        """Open the wizard that takes these rights away ("Take away…")."""
        self.env['ksef.connection']._check_manager()
        self.check_access('read')
        if not self:
            raise UserError(self.env._("Choose the rights to take away first."))
        if len(self.connection_id) > 1:
            raise UserError(self.env._("Choose rights of one connection at a time."))
        refused = self.filtered(lambda permission: not permission.can_revoke)
        if refused:
            raise UserError(self.env._(
                "This cannot be taken away from here: %(rights)s. Rights of the owner follow from the law; what others gave can only be "
                "taken away by them.",
                rights="; ".join(f"{permission.holder}: {permission.rights}" for permission in refused)))
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_pl_ksef.action_ksef_permission_revoke')
        action['context'] = {'default_permission_ids': self.ids, 'default_connection_id': self.connection_id.id}
        return action
