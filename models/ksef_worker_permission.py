"""Who may do what in KSeF: lists that are read whole, and operations that are asked for once and followed to their end."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from odoo import api, fields, models

from ..ksef.coach import Where
from ..ksef.errors import (
    KsefConnectError,
    KsefForbiddenError,
    KsefGoneError,
    KsefRateLimitError,
    KsefUnauthorizedError,
    PermissionStatus,
)
from ..ksef.types import FingerprintOwner, Identifier
from .ksef_worker_task import MOST_ATTEMPTS, POLL_SECONDS

# KSeF certainly did nothing: the call may be made again as if it had not been.
CERTAINLY_UNSENT = (KsefConnectError, KsefRateLimitError, KsefUnauthorizedError)
LIVE_TOKENS = ('Pending', 'Active', 'Revoking')
# Why a list is not shown to this login; other prohibitions (address, incident) concern everything and are told.
NOT_SHOWN = {None, 'missing-permissions', 'context-type-not-allowed', 'insufficient-resource-access'}
# An operation that takes longer than this is asked about less often.
QUICK = timedelta(minutes=2)
SLOW_SECONDS = 60


@dataclass
class Snapshot:
    """What KSeF's lists say about one context, all pages of each.

    :ivar persons: ``ksef.types.PersonGrant`` of persons and entities that work in the context
    :ivar own: ``ksef.types.PersonalPermissions`` of what the program logs in with
    :ivar is_partial: the rights of others could not be seen
    """

    own: object
    persons: list = field(default_factory=list)
    authorizations: list = field(default_factory=list)
    authorizations_received: list = field(default_factory=list)
    entities: list = field(default_factory=list)
    tokens: list = field(default_factory=list)
    is_partial: bool = False

    @property
    def owner_scopes(self):
        """Names of what the owner has anyway."""
        return self.own.owner

    @property
    def own_ids(self):
        """Identifiers of the rights that the program logs in with."""
        return {grant.id for grant in self.own.grants if grant.id}

    @property
    def unlisted_own(self):
        """Own rights that no other list shows."""
        listed = {grant.id for grant in (*self.persons, *self.entities, *self.authorizations_received)}
        return [grant for grant in self.own.grants if grant.id not in listed]


class KsefWorker(models.AbstractModel):
    _inherit = 'ksef.worker'

    # ------------------------------------------------------------------ the list

    @api.model
    def _task_list_permissions(self, work):
        """Read all lists to their ends, then replace the mirror in one transaction."""
        snapshot = self._read_permissions(work.run.client, work.run.access_token)
        work.apply(lambda task: task._permissions_listed(snapshot))

    @api.model
    def _read_permissions(self, client, access):
        """The :class:`Snapshot` of the context; lists that the program may not see stay empty."""
        snapshot = Snapshot(own=client.personal_permissions(access), tokens=list(client.tokens(access, statuses=LIVE_TOKENS)))
        persons = self._read_if_shown(lambda: client.person_permissions(access))
        if persons is None:
            snapshot.is_partial = True
            return snapshot
        snapshot.persons = persons
        snapshot.authorizations = self._read_if_shown(lambda: client.authorizations(access)) or []
        snapshot.authorizations_received = self._read_if_shown(lambda: client.authorizations(access, received=True)) or []
        snapshot.entities = self._read_if_shown(lambda: client.entity_permissions(access)) or []
        return snapshot

    @api.model
    def _read_if_shown(self, read):
        """A whole list, or None when KSeF does not show it to this login (an internal identifier has no authorisations)."""
        try:
            return list(read())
        except KsefForbiddenError as error:
            if error.reason_code not in NOT_SHOWN:
                raise
            return None

    # ------------------------------------------------------------------ giving

    @api.model
    def _task_grant_permission(self, work):
        """Ask KSeF to give the rights, once; follow the operation. An unanswered call is looked for in the list first."""
        if work.state == 'asked' and not self._prepare_grant(work):
            return
        if work.state == 'calling' and not self._call_grant(work):
            return
        self._follow_operation(work, self._is_granted, self._finish_grant)

    @api.model
    def _prepare_grant(self, work):
        """Keep what is to be given before it is asked for; return whether anything is missing."""
        missing = self._missing_scopes(work)
        if not missing:
            self._finish_grant(work)
            return False
        work.parameters = work.parameters | {'missing': missing}
        self._begin_call(work, parameters=work.parameters)
        work.state, work.is_in_grace = 'calling', None
        return True

    @api.model
    def _call_grant(self, work):
        """Make the call, or find out what became of an unanswered one; return whether there is an operation to follow."""
        if work.is_in_grace is not None and not self._may_call_again(work):
            return False
        self._call_once(work, lambda: self._grant(work))
        return True

    @api.model
    def _call_once(self, work, call):
        """Make the call that was committed and keep the operation's reference; a call that certainly never arrived doesn't count."""
        try:
            reference = work.reference = call()
        except CERTAINLY_UNSENT:
            work.apply(lambda task: task.write({'state': 'asked', 'attempts': task.attempts - 1}))
            raise
        work.apply(lambda task: task._set_waiting(reference_number=reference))

    @api.model
    def _may_call_again(self, work):
        """Whether an unanswered call left no trace in the list for long enough, and was not made too often."""
        missing = self._missing_scopes(work)
        if not missing:
            self._finish_grant(work)
            return False
        if work.is_in_grace:
            work.apply(lambda task: task._postpone(POLL_SECONDS * 5))
            return False
        if work.attempts >= MOST_ATTEMPTS:
            self._give_up(work)
            return False
        work.parameters = work.parameters | {'missing': missing}
        self._begin_call(work, parameters=work.parameters)
        return True

    @api.model
    def _begin_call(self, work, **values):
        """Commit that the call is made next; how often it was made decides how the end of the operation is understood."""
        work.apply(lambda task: task._set_calling(**values))
        work.attempts += 1

    @api.model
    def _give_up(self, work):
        work.apply(lambda task: task._set_failed(task.env._(
            "KSeF did not answer %(count)s times. Look in the list whether the change was made, and try again later.",
            count=work.attempts)))

    @api.model
    def _grant(self, work):
        client, access, wanted = work.run.client, work.run.access_token, work.parameters
        subject = Identifier(*wanted['identifier'])
        if wanted['holder'] == 'office':
            return client.grant_entity(
                access, subject, wanted['missing'], wanted['name'], wanted['description'], can_delegate=wanted['can_delegate'])
        return client.grant_person(
            access, subject, wanted['missing'], wanted['first_name'], wanted['last_name'], wanted['description'],
            self._fingerprint_owner(wanted.get('person')))

    @api.model
    def _fingerprint_owner(self, person):
        """Who holds the certificate whose fingerprint gets the rights, or None."""
        if not person:
            return None
        if person.get('identifier'):
            return FingerprintOwner(identifier=Identifier(*person['identifier']))
        return FingerprintOwner(birth_date=date.fromisoformat(person['birth_date']), document=tuple(person['document']))

    @api.model
    def _missing_scopes(self, work):
        """Those of the wanted rights that the person or office doesn't have yet, as KSeF lists it now."""
        wanted = work.parameters
        kind, value = wanted['identifier']
        delegates = wanted['holder'] == 'office' and wanted['can_delegate']
        held = {
            grant.scope for grant in work.run.client.person_permissions(work.run.access_token)
            if grant.state == 'Active' and grant.authorized and not grant.target and (grant.can_delegate or not delegates)
            and (grant.authorized.type, (grant.authorized.value or '').upper()) == (kind, value.upper())}
        return [scope for scope in wanted['scopes'] if scope not in held]

    @api.model
    def _is_granted(self, work):
        return not self._missing_scopes(work)

    @api.model
    def _finish_grant(self, work):
        def finish(task):
            label = task.env['ksef.connection']._permission_label
            task._permission_given(task.env._(
                "%(who)s may now do this for the NIP %(nip)s in KSeF: %(rights)s.", who=task.subject, nip=task.connection_id.nip,
                rights=", ".join(map(label, work.parameters['scopes']))))
        work.apply(finish)

    # ------------------------------------------------------------------ taking away

    @api.model
    def _task_revoke_permission(self, work):
        """Ask KSeF to take a right away and follow the operation; what is not in its list any more needs no call."""
        if work.state in ('asked', 'calling'):
            if self._is_gone(work):
                self._finish_revoke(work)
                return
            if work.attempts >= MOST_ATTEMPTS:
                self._give_up(work)
                return
            self._begin_call(work)
            client = work.run.client
            revoke = client.revoke_authorization if work.parameters['is_authorization'] else client.revoke_permission
            self._call_once(work, lambda: revoke(work.run.access_token, work.parameters['id']))
        self._follow_operation(work, self._is_gone, self._finish_revoke)

    @api.model
    def _is_gone(self, work):
        """Whether KSeF's list no longer has the right."""
        client, access = work.run.client, work.run.access_token
        listed = client.authorizations(access) if work.parameters['is_authorization'] else client.person_permissions(access)
        return all(grant.id != work.parameters['id'] for grant in listed)

    @api.model
    def _finish_revoke(self, work):
        work.apply(lambda task: task._permission_taken(task.env._(
            "%(who)s may no longer do this for the NIP %(nip)s in KSeF: %(rights)s.", who=task.subject, nip=task.connection_id.nip,
            rights=task.env['ksef.connection']._permission_label(work.parameters['scope']))))

    # ------------------------------------------------------------------ operations

    @api.model
    def _follow_operation(self, work, is_effective, finish):
        """Ask what became of an operation; where KSeF no longer knows or says “failed”, its list decides.

        :param is_effective: function that tells from the list whether what was wanted holds
        :param finish: function that writes down that it does
        """
        try:
            status = work.run.client.permission_operation(work.run.access_token, work.reference)
        except KsefGoneError:
            if not is_effective(work):
                raise
            finish(work)
            return
        except KsefForbiddenError as error:
            # Who has just given up the right to manage rights may not even ask what became of that.
            if not work.parameters.get('is_own') or error.reason_code not in NOT_SHOWN:
                raise
            finish(work)
            return
        if status.code == PermissionStatus.DONE:
            finish(work)
        elif status.code < PermissionStatus.FAILED:
            work.apply(self._ask_later)
        elif status.code == PermissionStatus.FAILED and work.attempts > 1 and is_effective(work):
            # A call was repeated because its first answer got lost: the second one found everything done.
            finish(work)
        else:
            work.apply(lambda task: task._set_failed(task.env['ksef.advice']._explain_in_text(
                Where.PERMISSION, status, task.connection_id)))

    @api.model
    def _ask_later(self, task):
        is_slow = bool(task.called_at) and task.called_at + QUICK < fields.Datetime.now()
        task._postpone(SLOW_SECONDS if is_slow else POLL_SECONDS, failures=0)
