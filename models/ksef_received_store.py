import base64
import json
from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from .ksef_received import ROLES

ROLE_ORDER = [role for role, _label in ROLES]
COLUMNS = (
    'connection_id', 'company_id', 'environment', 'state', 'role', 'roles', 'ksef_number', 'invoice_number', 'invoice_kind',
    'form_code', 'issue_date', 'invoicing_date', 'acquisition_date', 'permanent_storage_date', 'seller_nip', 'seller_name',
    'buyer_identifier_type', 'buyer_identifier', 'buyer_name', 'net_amount', 'vat_amount_pln', 'gross_amount', 'currency_id',
    'currency_code', 'invoicing_mode', 'is_self_invoicing', 'has_attachment', 'metadata', 'xml', 'xml_hash', 'xml_size', 'due_at',
    'attempts', 'create_uid', 'write_uid', 'create_date', 'write_date',
)


class KsefReceived(models.Model):
    """Storing what KSeF gave: many rows with one statement, and the same invoice never twice."""
    _inherit = 'ksef.received'

    @api.model
    def _store(self, connection, role, items):
        """Keep invoices of one answer; return the ids of those that are new.

        An invoice that is here already gets the role in which it was seen now, and its bytes when they had not come yet.

        :param items: [(``ksef.types.InvoiceMetadata``, bytes of the XML or None)]; the bytes are known to have the hash
        """
        # Whatever KSeF calls its number is kept: one that looks wrong to us is no reason to miss an invoice.
        items = {item.ksef_number: (item, xml) for item, xml in items}
        if not items:
            return []
        known = self._known(connection, list(items))
        created = self._insert([
            self._row(connection, role, item, xml) for number, (item, xml) in items.items() if number not in known])
        self._add_role(role, [id_ for id_, roles, _state in known.values() if role not in roles])
        for number, (id_, _roles, state) in known.items():
            if state == 'listed' and items[number][1] is not None:
                self.browse(id_)._store_xml(items[number][1], items[number][0].invoice_hash)
        self._after_stored(created)
        return created

    @api.model
    def _known(self, connection, numbers):
        """Rows that are here: {KSeF number: (id, [roles], state)}."""
        rows = self.env.execute_query(SQL(
            "SELECT ksef_number, id, COALESCE(roles, role), state FROM ksef_received"
            " WHERE company_id = %s AND environment = %s AND ksef_number IN %s",
            connection.company_id.id, connection.environment, tuple(numbers)))
        return {number: (id_, roles.split(','), state) for number, id_, roles, state in rows}

    @api.model
    def _insert(self, rows):
        if not rows:
            return []
        # Another worker may have been quicker, for a connection of the same company with another NIP.
        found = self.env.cr.execute_values(
            f"INSERT INTO ksef_received ({', '.join(COLUMNS)}) VALUES %s"  # noqa: S608  names of this file
            " ON CONFLICT (company_id, environment, ksef_number) DO NOTHING RETURNING id",
            rows, page_size=len(rows), fetch=True)
        return [id_ for [id_] in found]

    @api.model
    def _add_role(self, role, ids):
        """The company stands on these invoices in one more role."""
        rows = self.browse(ids)
        by_roles = defaultdict(list)
        for received in rows:
            by_roles[received.roles or received.role].append(received.id)
        for former, group in by_roles.items():
            roles = sorted({*former.split(','), role}, key=ROLE_ORDER.index)
            self.browse(group).write({'roles': ','.join(roles), 'role': roles[0]})

    @api.model
    def _row(self, connection, role, item, xml):
        """The values of a new row in the order of COLUMNS."""
        now = fields.Datetime.now()
        # What has no bytes yet is got by itself, one call each.
        due = now if xml is None else None
        values = self._metadata_values(item) | {
            'connection_id': connection.id, 'company_id': connection.company_id.id, 'environment': connection.environment,
            'state': 'listed' if xml is None else 'stored', 'role': role, 'roles': role, 'due_at': due, 'attempts': 0,
            'xml': None if xml is None else base64.b64encode(xml), 'xml_size': None if xml is None else len(xml),
            'create_uid': self.env.uid, 'write_uid': self.env.uid, 'create_date': now, 'write_date': now,
        }
        return tuple(values[name] for name in COLUMNS)

    @api.model
    def _metadata_values(self, item):
        """The columns that an InvoiceMetadata fills; what KSeF left out is NULL."""
        raw = item.raw
        form = raw.get('formCode') if isinstance(raw.get('formCode'), dict) else {}
        utc = self.env['ksef.worker']._utc
        return {
            'ksef_number': item.ksef_number, 'invoice_number': item.invoice_number, 'invoice_kind': item.invoice_type,
            'form_code': form.get('systemCode') or None, 'issue_date': item.issue_date,
            'invoicing_date': utc(item.invoicing_date) or None, 'acquisition_date': utc(item.acquisition_date) or None,
            'permanent_storage_date': utc(item.permanent_storage_date) or None,
            'seller_nip': item.seller_nip, 'seller_name': item.seller_name,
            'buyer_identifier_type': item.buyer_identifier_type, 'buyer_identifier': item.buyer_identifier,
            'buyer_name': item.buyer_name, 'net_amount': item.net_amount, 'vat_amount_pln': item.vat_amount,
            'gross_amount': item.gross_amount, 'currency_id': self._currency_ids().get(item.currency),
            'currency_code': item.currency, 'invoicing_mode': item.invoicing_mode,
            'is_self_invoicing': raw.get('isSelfInvoicing') is True, 'has_attachment': raw.get('hasAttachment') is True,
            'metadata': self._third_parties(raw), 'xml_hash': item.invoice_hash,
        }

    @api.model
    def _third_parties(self, raw):
        """What is kept of the metadata beyond the columns, as JSON text or None."""
        kept = {name: raw[name] for name in ('thirdSubjects', 'authorizedSubject', 'hashOfCorrectedInvoice') if raw.get(name)}
        return json.dumps(kept, default=str) if kept else None

    @api.model
    def _currency_ids(self):
        cache = self.env.cr.cache.setdefault('ksef_received_currencies', {})
        if not cache:
            currencies = self.env['res.currency'].with_context(active_test=False).search([('name', '!=', False)])
            cache.update({currency.name: currency.id for currency in currencies})
        return cache

    def _store_xml(self, content, stated_hash=None):
        """Keep the bytes of one invoice that was only listed. The caller has checked them against KSeF's hash."""
        self.ensure_one()
        self._lock()
        if self.state != 'listed' and not (self.state == 'failed' and not self.xml_size):
            return
        self._transition('stored', xml=base64.b64encode(content), xml_size=len(content), attempts=0, **(
            {'xml_hash': stated_hash} if stated_hash and not self.xml_hash else {}))
        self._after_stored(self.ids)
