from datetime import timedelta

from odoo import api, fields, models

from ..ksef.limits import WINDOWS

# KSeF's answer about attachments is asked for again after this time.
CONSENT_AGE = timedelta(minutes=15)


class KsefCall(models.Model):
    """A call to KSeF that is counted against its limits. Rows are shared by all hosts and kept for little more than an hour."""
    _name = 'ksef.call'
    _description = "Call to KSeF"
    _log_access = False
    _rec_name = 'counter'

    company_id = fields.Many2one('res.company', required=True, readonly=True, ondelete='cascade')
    context = fields.Char(required=True, readonly=True, help="Environment and NIP (or unit): what KSeF counts for.")
    counter = fields.Char(required=True, readonly=True)
    made_at = fields.Datetime(required=True, readonly=True)

    _by_time = models.Index('(context, counter, made_at)')

    @api.model
    def _seconds_until(self, context, counter, rates):
        """Seconds until KSeF allows another call; 0: now."""
        columns = {seconds: limit for seconds, limit in zip(WINDOWS, rates, strict=True) if limit}
        wait = 0.0
        for seconds, limit in columns.items():
            self.env.cr.execute(
                """
                SELECT %(seconds)s - EXTRACT(EPOCH FROM (clock_timestamp() AT TIME ZONE 'UTC') - made_at) FROM ksef_call
                 WHERE context = %(context)s AND counter = %(counter)s
                   AND made_at > (clock_timestamp() AT TIME ZONE 'UTC') - %(seconds)s * interval '1 second'
              ORDER BY made_at DESC OFFSET %(skipped)s LIMIT 1
                """, {'seconds': seconds, 'context': context, 'counter': counter, 'skipped': limit - 1})
            row = self.env.cr.fetchone()
            wait = max(wait, float(row[0]) if row else 0.0)
        return wait

    @api.model
    def _count(self, company_id, context, counter):
        """Note a call that is about to be made."""
        self.env.cr.execute(
            """INSERT INTO ksef_call (company_id, context, counter, made_at)
               VALUES (%s, %s, %s, clock_timestamp() AT TIME ZONE 'UTC')""", [company_id, context, counter])

    @api.autovacuum
    def _forget_old(self):
        self.env.cr.execute(
            "DELETE FROM ksef_call WHERE made_at < (clock_timestamp() AT TIME ZONE 'UTC') - interval '2 hours'")


class KsefConnection(models.Model):
    """What KSeF allows this context, as it told when it was last asked."""
    _inherit = 'ksef.connection'

    call_rates = fields.Json(readonly=True, copy=False, help="Limits of calls: group, then per second, minute and hour.")
    batch_most = fields.Integer(readonly=True, copy=False, help="Invoices that KSeF takes in one batch.")
    limits_at = fields.Datetime(readonly=True, copy=False, help="When KSeF was asked for its limits.")
    batch_paused_until = fields.Datetime(
        readonly=True, copy=False, help="KSeF refused to open a batch; until then invoices go one by one.")
    attachments = fields.Selection(
        [('allowed', "Announced in e-Urząd Skarbowy"), ('refused', "Not announced"), ('unknown', "Not told by KSeF")],
        readonly=True, copy=False, help="Whether KSeF takes invoices with attachments (załączniki) from this company.")
    attachments_at = fields.Datetime(readonly=True, copy=False, help="When KSeF was asked about attachments.")

    def _refuses_attachments(self):
        """Whether KSeF has said lately that it takes no attachments from this company; later, sending asks again."""
        self.ensure_one()
        return self.attachments == 'refused' and self.attachments_at > fields.Datetime.now() - CONSENT_AGE
