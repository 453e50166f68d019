import base64
from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError

from ..ksef.crypto import sha256_b64
from ..ksef.fa3.headline import read_headline
from .ksef_document import LIVE_STATES

# So many invoices are taken over at a time: their files are in memory together.
BATCH = 500


class KsefTakeover(models.AbstractModel):
    """Taking over what other programs have sent to KSeF: documents with the number that they got there.

    Nothing here asks KSeF. Everything happens in the transaction of the person who clicks: all of it or nothing. The index
    “one live document for each invoice and connection” holds against two people who click at once.
    """
    _name = 'ksef.takeover'
    _description = "Taking over from other programs"

    @api.model
    def _find_connection(self, company, environment):
        """The company's connection to the environment (of a branch, its taxpayer's), active or not; empty when there is none.

        A company that works as a unit has the unit's: nobody would connect another one to ask about its invoices.
        """
        connections = self.env['ksef.connection'].sudo().with_context(active_test=False)
        in_use = company.sudo().ksef_connection_id
        if in_use.internal_id and (in_use.environment, in_use.nip) == (environment, connections._company_nip(company)):
            return in_use.with_context(active_test=False)
        return connections.search([
            ('company_id', '=', company._ksef_taxpayer().id), ('environment', '=', environment),
            ('nip', '=', connections._company_nip(company)), ('internal_id', '=', False)], limit=1)

    @api.model
    def _get_connection(self, company, environment):
        """The same, made when there is none: not connected, and in use where the company uses no other.

        :raise UserError: no right, or the company has no NIP
        """
        connections = self.env['ksef.connection']
        connections._check_manager()
        company.check_access('read')
        connection = self._find_connection(company, environment)
        if not connection:
            taxpayer = company._ksef_taxpayer()
            if not self.env.su and taxpayer not in self.env.user.company_ids:
                raise UserError(self.env._(
                    "%(company)s works through the connection of %(parent)s, which has none to this environment yet. Ask somebody who "
                    "manages %(parent)s to make it.", company=company.name, parent=taxpayer.name))
            connection = connections.sudo().create({
                'company_id': company._ksef_taxpayer().id, 'environment': environment, 'nip': connections._company_nip(company),
                'database_uuid': connections._get_database_uuid()})
        if not connection.company_id.ksef_connection_id:
            connection.company_id.ksef_connection_id = connection
        return connection

    @api.model
    def _is_allowed(self, company):
        """Whether the user may see the company's invoices: an onchange computes on values that nobody has checked."""
        return company._origin in self.env.companies and (
            self.env.su or self.env.user.has_group('l10n_pl_ksef.group_ksef_manage'))

    @api.model
    def _live_numbers(self, company, connection):
        """{invoice id: (state, KSeF number)} of the company's invoices that are at KSeF already, or on their way there.

        The state ``lost`` is that of one taken over about which KSeF knows nothing: a register may settle it.
        """
        self.env['ksef.document'].flush_model()
        rows = self.env['ksef.document'].sudo().search_fetch([
            ('company_id', '=', company.id), ('move_id', '!=', False), ('state', 'in', LIVE_STATES),
            '|', ('connection_id', '=', connection.id), ('environment', '=', 'production'),
        ], ['move_id', 'state', 'ksef_number', 'origin', 'connection_id'], order='id')
        return {
            document.move_id.id: (
                'lost' if document._is_lost() and document.connection_id == connection else document.state, document.ksef_number)
            for document in rows}

    @api.model
    def _number_owners(self, connection, numbers):
        """{KSeF number: {ids of the invoices that have it}}, whichever company they are of: parent and branches share a NIP.

        :param connection: the one that the numbers are of, or an empty one: then those of any environment count
        """
        self.env['ksef.document'].flush_model()
        domain = [('ksef_number', 'in', list(numbers)), ('move_id', '!=', False), ('state', 'in', LIVE_STATES)]
        if connection:
            domain.append(('environment', 'in', (connection.environment, 'production')))
        owners = defaultdict(set)
        for document in self.env['ksef.document'].sudo().search_fetch(domain, ['ksef_number', 'move_id']):
            owners[document.ksef_number].add(document.move_id.id)
        return owners

    @api.model
    def _add_documents(self, company, connection, origin, vals_list):
        """Make documents of invoices that another program has sent, and show them on the invoices.

        :param vals_list: values of the documents, each with ``move_id`` and ``state`` (accepted or sent)
        """
        moves = self.env['account.move'].sudo().with_context(no_new_invoice=True)
        labels = dict(self.env['ksef.document']._fields['origin']._description_selection(self.env))
        for start in range(0, len(vals_list), BATCH):
            batch = vals_list[start:start + BATCH]
            self.env['ksef.document'].sudo().create([{
                'company_id': company.id, 'connection_id': connection.id, 'user_id': self.env.uid, 'origin': origin,
                'seller_nip': connection.nip, 'sync_pending': False,
            } | values for values in batch])
            found = moves.browse(values['move_id'] for values in batch)
            found._ksef_sync()
            found._message_log_batch({values['move_id']: self._describe_takeover(labels[origin], values) for values in batch})
        self.env['ksef.worker']._trigger_workers()

    @api.model
    def _describe_takeover(self, origin, values):
        """The chatter's sentence."""
        if values['state'] == 'accepted':
            return self.env._("KSeF number %(number)s taken over from: %(origin)s.", number=values['ksef_number'], origin=origin)
        return self.env._("Sent to KSeF by another program (%(origin)s); its answer is awaited here now.", origin=origin)

    @api.model
    def _file_values(self, content, move_name):
        """What a file (bytes) that another program has sent says, as values of a document; {} for one of another invoice."""
        try:
            headline = read_headline(content)
        except ValueError:
            return {}
        if headline.invoice_number != move_name:
            return {}
        values = {
            'xml': base64.b64encode(content), 'xml_hash': sha256_b64(content), 'xml_size': len(content),
            'invoice_kind': headline.kind or False,
        }
        if headline.issue_date:
            values['issue_date'] = headline.issue_date
        if headline.seller_nip:
            values['seller_nip'] = headline.seller_nip
        return values

    @api.model
    def _lock_moves(self, move_ids):
        """Keep the invoices as they are until this transaction ends.

        :raise AccessError: one of them is not the user's to change
        """
        if move_ids:
            moves = self.env['account.move'].browse(move_ids)
            moves.check_access('write')
            moves.sudo()._ksef_rows_lock()
            moves.invalidate_recordset()
