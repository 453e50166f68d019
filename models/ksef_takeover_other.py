import base64
from collections import Counter, defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..ksef.certificates import CertificateKind, CertificateProblem, read_credentials
from ..ksef.number import parse
from .account_move_lock import SALE_TYPES
from .ksef_takeover import BATCH

# What becomes of an invoice that the other module has sent.
VERDICTS = ('accepted', 'pending', 'unposted', 'ours', 'lost', 'bad_number', 'other_nip', 'number_twice')
TAKEN = ('accepted', 'pending')
# So many at a time: a person's request must end before the server ends it, however slow the database is.
MOST = 5000
# KSeF allows few questions for receipts an hour; one a minute leaves the others their share.
UPO_SECONDS = 60


class KsefTakeover(models.AbstractModel):
    """Reading what Odoo's own module (l10n_pl_edi) has: its certificate and what it has sent. Its own data are left alone."""
    _inherit = 'ksef.takeover'

    @api.model
    def _has_other_module(self):
        """Whether the other module is installed; with it go its columns, so there is nothing to read without it."""
        return self.env['account.move']._ksef_has_other_module() and 'l10n_pl_edi_certificate' in self.env['res.company']._fields

    @api.model
    def _other_environment(self):
        """Where the other module sends: it knows production and, for any other mode, TEST."""
        mode = self.env['ir.config_parameter'].sudo().get_param('l10n_pl_edi_ksef.mode') or 'prod'
        return 'production' if mode == 'prod' else 'test'

    # ------------------------------------------------------------------ certificate

    @api.model
    def _read_other_certificate(self, company):
        """The other module's certificate with its key, checked as an upload is.

        :return: (``ksef.certificates.KeyPair`` or None, ``CertificateInfo`` or None, what is wrong with it or False)
        """
        certificate = company.sudo().with_context(bin_size=False).l10n_pl_edi_certificate
        if not certificate:
            return None, None, False
        key = certificate.private_key_id
        files = [base64.b64decode(content) for content in (certificate.pem_certificate, key.pem_key) if content]
        try:
            pair = read_credentials(files or [b''], key.password or None)
            pair.info.check_now()
        except CertificateProblem as problem:
            return None, problem.info, self.env['ksef.advice']._explain_certificate(problem)
        if pair.info.kind is CertificateKind.OFFLINE:
            return None, pair.info, self.env._("This certificate serves only for the codes of invoices issued offline; it cannot log in.")
        return pair, pair.info, False

    @api.model
    def _find_credential(self, connection, info):
        """The connection's credential with this certificate: it is not taken twice."""
        return self.env['ksef.credential'].sudo().search([
            ('connection_id', '=', connection.id), ('certificate_serial', '=', info.serial),
            ('kind', '=', 'certificate'), ('active', '=', True)], limit=1)

    # ------------------------------------------------------------------ invoices

    @api.model
    def _sort_other_moves(self, company, connection):
        """What the other module has sent for the company, apart from what shows our own documents.

        :return: [{id, name, date, number, reference, session, verdict}], oldest first
        """
        self.env['account.move'].flush_model()
        self.env['ksef.document'].flush_model()
        rows = self.env.execute_query_dict(SQL(
            """
            SELECT m.id, m.name, m.invoice_date AS date, m.state, m.l10n_pl_edi_status AS status, m.l10n_pl_edi_number AS number,
                   m.l10n_pl_edi_ref AS reference, m.l10n_pl_edi_session_id AS session
              FROM account_move m
             WHERE m.company_id = %s AND m.move_type IN %s AND %s
          ORDER BY m.invoice_date, m.id
            """, company.id, SALE_TYPES, self.env['account.move']._ksef_sent_elsewhere_sql()))
        live = self._live_numbers(company, connection)
        owners = self._number_owners(connection, {row['number'] for row in rows if row['number']})
        for number, move_ids in self._find_other_owners({row['number'] for row in rows if row['number']}).items():
            owners[number] |= move_ids
        nip = self.env['ksef.connection']._company_nip(company)
        for row in rows:
            row['verdict'] = 'ours' if row['id'] in live else self._judge_other_move(row, owners, nip)
        return rows

    @api.model
    def _find_other_owners(self, numbers):
        """{KSeF number: {ids of the invoices}} of what the other module has sent in any company."""
        owners = defaultdict(set)
        if numbers and self._has_other_module():
            for number, move_id in self.env.execute_query(SQL(
                "SELECT m.l10n_pl_edi_number, m.id FROM account_move m WHERE m.l10n_pl_edi_number IN %s AND m.move_type IN %s AND %s",
                tuple(numbers), SALE_TYPES, self.env['account.move']._ksef_sent_elsewhere_sql(),
            )):
                owners[number].add(move_id)
        return owners

    @api.model
    def _judge_other_move(self, row, owners, nip):
        """What becomes of one row; ``owners``: {KSeF number: {ids of the invoices that have it}}."""
        if row['state'] != 'posted':
            return 'unposted'
        if row['status'] == 'sent' and not row['number']:
            return 'pending' if row['reference'] and row['session'] else 'lost'
        try:
            number = parse(row['number'] or '')
        except ValueError:
            return 'bad_number'
        if number.seller_nip != nip:
            return 'other_nip'
        return 'number_twice' if owners.get(row['number'], set()) - {row['id']} else 'accepted'

    @api.model
    def _describe_other_verdict(self, verdict):
        """Why an invoice is not taken over, and what to do."""
        return {
            'unposted': self.env._("not confirmed: confirm the invoice, then take over again"),
            'ours': self.env._("this program has sent it too, or is about to: compare both numbers in KSeF"),
            'lost': self.env._(
                "sent without a reference number that KSeF could be asked about: look it up in the taxpayer application and import its "
                "number"),
            'bad_number': self.env._("its KSeF number is missing or wrong: look it up in the taxpayer application and import its number"),
            'other_nip': self.env._("its KSeF number belongs to another NIP than the company's"),
            'number_twice': self.env._(
                "another invoice has the same KSeF number: look up in the taxpayer application which has which, and import the numbers"),
        }[verdict]

    @api.model
    def _take_other_moves(self, company, connection):
        """Take over what can be, at most MOST invoices; return {verdict: how many}, ``later`` for those that are left for next time."""
        rows = self._sort_other_moves(company, connection)
        self._lock_moves([row['id'] for row in rows if row['verdict'] in TAKEN])
        rows = self._sort_other_moves(company, connection)
        taken = [row for row in rows if row['verdict'] in TAKEN]
        for row in taken[MOST:]:
            row['verdict'] = 'later'
        taken = taken[:MOST]
        sessions = self._add_other_sessions(connection, {row['session'] for row in taken if row['session']})
        for start in range(0, len(taken), BATCH):
            batch = taken[start:start + BATCH]
            files = self._read_other_files([row['id'] for row in batch])
            self._add_documents(company, connection, 'l10n_pl_edi', [
                self._other_document_values(row, files.get(row['id']), sessions, place)
                for place, row in enumerate(batch, start)])
        return Counter(row['verdict'] for row in rows)

    @api.model
    def _read_other_files(self, move_ids):
        """{invoice id: bytes} of the files that the other module has sent."""
        attachments = self.env['ir.attachment'].sudo().search([
            ('res_model', '=', 'account.move'), ('res_field', '=', 'l10n_pl_edi_attachment_file'), ('res_id', 'in', move_ids)],
            order='id')
        return {attachment.res_id: attachment.raw for attachment in attachments if attachment.raw}

    @api.model
    def _add_other_sessions(self, connection, references):
        """{reference: id} of sessions that the other module has opened; KSeF is asked about their invoices, nothing is sent there."""
        sessions = self.env['ksef.session'].sudo()
        found = sessions.search([('connection_id', '=', connection.id), ('reference_number', 'in', list(references))])
        missing = sorted(references - set(found.mapped('reference_number')))
        found += sessions.create([
            {'connection_id': connection.id, 'kind': 'online', 'state': 'done', 'reference_number': reference, 'last_used': False}
            for reference in missing])
        return {session.reference_number: session.id for session in found}

    @api.model
    def _other_document_values(self, row, content, sessions, place):
        """Values of the document for one row; ``place`` spreads the questions for the UPO."""
        known = self._file_values(content, row['name']) if content else {}
        is_accepted = row['verdict'] == 'accepted'
        can_ask = row['reference'] and row['session']
        note = False
        if content and not known:
            note = self.env._("The file that the other program kept is not that of this invoice, so it was not taken over.")
        elif not content:
            note = self.env._("The file of the invoice (XML) was not kept by the other program.")
        if is_accepted and not can_ask:
            note = " ".join(filter(None, [note, self._no_upo_note()]))
        wait = timedelta(seconds=UPO_SECONDS * place if is_accepted else 0)
        return {
            'move_id': row['id'], 'invoice_number': row['name'], 'issue_date': row['date'],
            'state': 'accepted' if is_accepted else 'sent',
            'ksef_number': row['number'] if is_accepted else False,
            'reference_number': row['reference'], 'session_id': sessions.get(row['session'], False),
            'takeover_note': note, 'due_at': can_ask and fields.Datetime.now() + wait,
        } | known

    @api.model
    def _no_upo_note(self):
        return self.env._(
            "Its UPO cannot be fetched, because nobody knows the session it was sent in; the taxpayer application has it.")
