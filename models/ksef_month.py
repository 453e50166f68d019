from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.translate import LazyTranslate

from .ksef_document import LIVE_STATES

_lt = LazyTranslate(__name__)
WARSAW = ZoneInfo('Europe/Warsaw')
# What still awaits an answer, or a person, on its way to KSeF.
WAITING_STATES = tuple(state for state in LIVE_STATES if state != 'accepted')
REFUSED_STATES = ('rejected', 'invalid')
# A stretch by days ends a microsecond before the midnight at which the next one begins.
GAP = timedelta(milliseconds=1)
SALES = ('out_invoice', 'out_refund')
PURCHASES = ('in_invoice', 'in_refund')

# kind: (what it is called, what to do, whether the month may not be closed with it)
KINDS = {
    'draft': (_lt("Draft invoices"), _lt("Confirm them, or delete those that nobody needs."), False),
    'missing': (_lt("Not in KSeF"), _lt("Send them, or say why they stay outside KSeF."), True),
    'waiting': (_lt("On their way to KSeF"), _lt("Wait for their numbers; look at those that need help."), True),
    'refused': (_lt("Rejected or faulty"), _lt("Correct them and send them again."), True),
    'unfetched': (_lt("Not fetched yet"), _lt("Fetch the rest of the month."), True),
    'failed': (_lt("Received, but not stored"), _lt("Try again; the reason stands beside each."), True),
    'unbooked': (_lt("Without a bill"), _lt("Make their bills, or ignore them with a reason."), True),
    'draft_bill': (_lt("Draft bills"), _lt("Check and confirm them."), True),
    'disputed': (_lt("Disputed"), _lt("They stay out of VAT until the seller has corrected them."), False),
    'marker': (_lt("Without a JPK marker"), _lt("They get one with their KSeF number, or choose it by hand."), True),
    'correct': (_lt("JPK to correct"), _lt("The declaration of a closed month says something else: correct it."), False),
}


class KsefMonth(models.AbstractModel):
    """What still stands between a company and closing a month: nothing of it is stored, each figure is a search that can be opened."""
    _name = 'ksef.month'
    _description = "KSeF: what a month still lacks"

    @api.model
    def _domains(self, company, first):
        """{kind: (model, domain)} for the month that begins on ``first``; the company's branches belong to it."""
        last = first + relativedelta(months=1, days=-1)
        own = Domain('company_id', 'child_of', company.id)
        begin, end = self._in_utc(first), self._in_utc(last + timedelta(days=1))
        self_billed = Domain([('move_type', 'in', PURCHASES), ('journal_id.is_self_billing', '=', True)])
        issued = own & (Domain('move_type', 'in', SALES) | self_billed)
        sales = issued & Domain([('invoice_date', '>=', first), ('invoice_date', '<=', last)])
        posted = own & Domain([('state', '=', 'posted'), ('date', '>=', first), ('date', '<=', last)])
        # A draft without a date gets today's when it is confirmed.
        undated = issued & Domain([('invoice_date', '=', False), ('create_date', '>=', begin), ('create_date', '<', end)])
        purchases = own & Domain([('connection_id', '=', company.sudo().ksef_connection_id.id), ('role', '=', 'buyer')]) & Domain([
            ('acquisition_date', '>=', begin), ('acquisition_date', '<', end)])
        lacking = Domain('ksef_is_due' if company._ksef_mode_company().ksef_duty_from else 'ksef_is_missing', '=', True)
        lacking |= self_billed & Domain([
            ('state', '=', 'posted'), ('ksef_state', '=', False), ('ksef_is_outside', '=', False), ('ksef_outside_number', '=', False)])
        return {
            'draft': ('account.move', (sales | undated) & Domain('state', '=', 'draft')),
            # Those that were refused are counted below.
            'missing': ('account.move', sales & Domain('ksef_state', 'not in', REFUSED_STATES) & lacking),
            'waiting': ('account.move', sales & Domain('ksef_state', 'in', WAITING_STATES)),
            'refused': ('account.move', sales & Domain([('state', '=', 'posted'), ('ksef_state', 'in', REFUSED_STATES)])),
            'failed': ('ksef.received', purchases & Domain('state', 'in', ('listed', 'failed'))),
            'unbooked': ('ksef.received', purchases & Domain('state', '=', 'stored')),
            'draft_bill': ('ksef.received', purchases & Domain('move_id.state', '=', 'draft')),
            'disputed': ('ksef.received', purchases & Domain('state', '=', 'disputed')),
            'marker': ('account.move', posted & Domain([
                ('move_type', 'in', (*SALES, *PURCHASES)), ('ksef_jpk_marker', '=', False)])),
            'correct': ('account.move', own & Domain([('date', '<=', last), ('ksef_jpk_to_correct', '=', True)])),
        }

    @api.model
    def _in_utc(self, day):
        """The beginning of a day in Warsaw, as Odoo stores moments."""
        return fields.Datetime.to_string(datetime.combine(day, time.min, WARSAW).astimezone(ZoneInfo('UTC')).replace(tzinfo=None))

    @api.model
    def _is_fetched(self, company, first):
        """Whether every purchase of the month that KSeF has is here: fetched stretches cover the month without a gap."""
        connection = company.sudo().ksef_connection_id
        if not connection:
            return True
        fetches = self.env['ksef.fetch'].sudo().search([
            ('connection_id', '=', connection.id), ('role', '=', 'third' if connection.internal_id else 'buyer'),
            ('date_type', '=', 'storage')])
        covered = datetime.combine(first, time.min, WARSAW)
        end = datetime.combine(first + relativedelta(months=1), time.min, WARSAW)
        for start, position in sorted((fetch._moment(fetch.started_from), fetch._moment(fetch.position)) for fetch in fetches):
            if start <= covered + GAP:
                covered = max(covered, position)
        return covered + GAP >= end

    @api.model
    def _check(self, company, first):
        """{kind: (count, amount or None)} of what isn't empty, in the order of KINDS.

        Amounts are gross, in the company's currency; None where they add up to nothing that anybody would compare.
        """
        found = {}
        for kind, (model, domain) in self._domains(company, first).items():
            if model == 'account.move':
                [(count, total)] = self.env[model]._read_group(domain, aggregates=['__count', 'amount_total_signed:sum'])
                total = None if kind in ('marker', 'correct') else total
            else:
                [(count, total, currencies)] = self.env[model]._read_group(
                    domain, aggregates=['__count', 'gross_amount:sum', 'currency_code:array_agg_distinct'])
                total = total if currencies == [company.currency_id.name] else None
            if count:
                found[kind] = (count, total)
        if not self._is_fetched(company, first):
            found['unfetched'] = (1, None)
        return {kind: found[kind] for kind in KINDS if kind in found}

    @api.model
    def _open(self, kind, company, first):
        """The action that shows what is behind a figure."""
        if kind == 'unfetched':
            can_fetch = self.env.user.has_group('l10n_pl_ksef.group_ksef_send')
            return self.env['ir.actions.act_window']._for_xml_id(f'l10n_pl_ksef.action_ksef_fetch{"_now" if can_fetch else ""}')
        model, domain = self._domains(company, first)[kind]
        name = 'l10n_pl_ksef.action_ksef_received' if model == 'ksef.received' else (
            'account.action_move_journal_line' if kind in ('marker', 'correct') else 'account.action_move_out_invoice_type')
        action = self.env['ir.actions.act_window']._for_xml_id(name)
        return action | {'name': str(KINDS[kind][0]), 'domain': list(domain), 'context': {'create': False}}
