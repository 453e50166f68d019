import base64

from odoo import fields, models

from ..ksef.crypto import sha256_b64


class KsefDocument(models.Model):
    """Freezing: from a picked invoice to the bytes that will be sent."""
    _inherit = 'ksef.document'

    def _queue(self):
        """Render the invoices, prove them, and freeze the bytes: picked → queued, or invalid with the findings."""
        for language, documents in self.grouped(lambda document: document.user_id.lang).items():
            rendered = documents.move_id.with_context(lang=language)._ksef_render_batch()
            for document in documents:
                document._freeze(rendered[document.move_id])

    def _freeze(self, rendered):
        """Keep the bytes of one rendered invoice, or what stands against sending it."""
        self.ensure_one()
        errors = [
            finding for finding in rendered.findings
            if finding['severity'] == 'error' or (finding['remedy'] == 'set_today' and not self.late_confirmed)
        ]
        if errors or not rendered.xml:
            self._transition('invalid', findings=errors)
            return
        self._transition(
            'queued',
            findings=rendered.findings,
            due_at=fields.Datetime.now(),
            xml=base64.b64encode(rendered.xml),
            xml_hash=sha256_b64(rendered.xml),
            xml_size=len(rendered.xml),
            invoice_number=rendered.invoice_number,
            invoice_kind=rendered.invoice_kind,
            seller_nip=rendered.seller_nip,
            issue_date=rendered.issue_date,
        )

    def _fail_rendering(self):
        """Rendering ended in a fault of the program: the document waits for a person, and says so."""
        self._lock()
        if self.state == 'picked':
            self._transition('invalid', findings=[self._make_finding('program-error', self.env._(
                "The program failed while it prepared the invoice; nothing was sent. Ask your administrator to look into the "
                "server's log."))])

    def _late_finding(self):
        """The day of issue is over before the document could be sent: a person decides what becomes of it."""
        self.ensure_one()
        self = self.with_context(lang=self.user_id.lang)
        day = fields.Date.to_string(self.issue_date)
        return self._make_finding('issue-date-passed', self.env._(
            "The day of issue (%(date)s) passed before the invoice could be sent. KSeF would mark it as issued offline. "
            "Set today's date, or send it all the same.", date=day), field='invoice_date', value=day, remedy='set_today')

    def _program_finding(self, error):
        """KSeF refused what this program computed: the user can do nothing about it but report it."""
        self.ensure_one()
        self = self.with_context(lang=self.user_id.lang)
        return self._make_finding('program-error', self.env._(
            "KSeF refused the call of this program (%(code)s %(description)s). Nothing was sent and nothing is wrong with the "
            "invoice: report it to the maintainer of the KSeF module.",
            code=error.code or error.http_status, description=error.description), value=str(error.code or ''))

    def _make_finding(self, code, message, field=None, value='', remedy=None):
        """A finding about the invoice itself, in the shape that _ksef_render gives."""
        label = self.env['account.move']._fields[field]._description_string(self.env) if field else False
        return {
            'severity': 'error', 'code': code, 'field': label, 'message': message, 'value': value,
            'res_model': 'account.move', 'res_id': self.move_id.id, 'remedy': remedy,
        }
