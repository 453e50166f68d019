import re

from odoo import api, fields, models
from odoo.tools import SQL


class KsefBill(models.AbstractModel):
    """Bills that were entered before their KSeF invoice came: by hand, by mail, by OCR."""
    _inherit = 'ksef.bill'

    @api.model
    def _bare_number(self, number):
        """An invoice number as people's ways of writing it are compared: small letters and digits alone."""
        return re.sub(r'[\W_]', '', str(number)).lower()

    @api.model
    def _find_entered(self, company, nip, numbers):
        """The bill of a supplier (by NIP) with one of these numbers, however it was typed; confirmed ones first."""
        bare = tuple(filter(None, map(self._bare_number, numbers)))
        if not bare:
            return self.env['account.move']
        self.env['account.move'].flush_model()
        self.env['res.partner'].flush_model(['vat'])
        rows = self.env.execute_query(SQL(
            """
            SELECT m.id
              FROM account_move m JOIN res_partner p ON p.id = m.commercial_partner_id
             WHERE m.company_id = %(company)s AND m.state != 'cancel' AND m.move_type = 'in_invoice'
               AND (p.vat IN %(vats)s OR p.id = ANY(%(partners)s))
               AND regexp_replace(lower(COALESCE(m.ref, '')), '[^[:alnum:]]', '', 'g') IN %(numbers)s
          ORDER BY m.state = 'posted' DESC, m.id
             LIMIT 1
            """, company=company.id, vats=(nip, f'PL{nip}', f'PL {nip}'), partners=self._partners_of(company, nip).ids,
            numbers=bare))
        return self.env['account.move'].sudo().browse(id_ for [id_] in rows)

    @api.model
    def _find_duplicates(self, received, invoice=None):
        """Bills that may be this invoice, surest first, and not those of another KSeF invoice.

        The same supplier and number (letters and digits alone count), or the same supplier, date and amount and no other
        number.

        :param invoice: ``ksef.fa3.model.Invoice``; without it (a document that can't be read) KSeF's metadata count
        """
        self.env['account.move'].flush_model()
        self.env['res.partner'].flush_model(['vat'])
        nip, number, amount, issued = (invoice.seller.nip, invoice.number, invoice.total, invoice.issue_date) if invoice else (
            received.seller_nip, received.invoice_number, received.gross_amount, received.issue_date)
        if not nip or not number:
            return self.env['account.move']
        company = received.company_id
        nip, number = str(nip), self._bare_number(number)
        rows = self.env.execute_query(SQL(
            """
            SELECT id
              FROM (SELECT m.id, m.invoice_date, m.amount_total,
                           regexp_replace(lower(COALESCE(m.ref, '')), '[^[:alnum:]]', '', 'g') AS number
                      FROM account_move m JOIN res_partner p ON p.id = m.commercial_partner_id
                     WHERE m.company_id = %(company)s AND m.state != 'cancel'
                       AND m.move_type IN ('in_invoice', 'in_refund', 'in_receipt') AND (p.vat IN %(vats)s OR p.id = ANY(%(partners)s))
                       AND NOT EXISTS (SELECT 1 FROM ksef_received r WHERE r.move_id = m.id AND r.id != %(received)s)) m
             WHERE m.number = %(number)s
                OR m.invoice_date = %(date)s AND m.amount_total BETWEEN %(amount)s - 0.005 AND %(amount)s + 0.005
                   AND %(number)s LIKE '%%' || m.number || '%%'
          ORDER BY m.number = %(number)s DESC, id DESC
            """,
            company=company.id, vats=(nip, f'PL{nip}', f'PL {nip}'), partners=self._partners_of(company, nip).ids,
            received=received.id or 0, number=number, amount=abs(amount or 0), date=fields.Date.to_date(str(issued)) if issued else None))
        return self.env['account.move'].sudo().browse(id_ for [id_] in rows)
