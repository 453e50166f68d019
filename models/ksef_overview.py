"""KSeF → Overview: what happened, what waits, what needs a person, for all companies that the user has chosen."""
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import formatLang

from .ksef_document import OPEN_STATES

WARSAW = ZoneInfo('Europe/Warsaw')
# What the screen counts -> the states of documents that are counted.
FIGURES = {
    'way': ('picked', 'queued', 'sending', 'sent', 'blocked'),
    'accepted': ('accepted',),
    'correct': ('rejected', 'invalid'),
    'unclear': ('unconfirmed', 'help'),
}
# Accepted ones are counted by periods alone: there is nothing to do about them.
PERIODS = {'way': ('today', 'month', 'now'), 'accepted': ('today', 'month'), 'correct': ('today', 'month', 'now'),
           'unclear': ('today', 'month', 'now')}
CHART_DAYS = 30
# KSeF takes so many single invoices an hour from one taxpayer (reference §14); batches don't count.
SENDS_PER_HOUR = 180


class KsefOverview(models.AbstractModel):
    """The figures of the screen, each with the list behind it; the number of queries doesn't grow with the companies."""
    _name = 'ksef.overview'
    _description = "KSeF overview"

    @api.model
    def _check_reader(self):
        if not self.env.su and not self.env.user.has_group('l10n_pl_ksef.group_ksef_read'):
            raise AccessError(self.env._("Only users with the right “KSeF: read” can see what is in KSeF. Ask your administrator."))

    @api.model
    def _start_of(self, period, today=None):
        """When a period began (naive UTC): 'today' and 'month' are those of Warsaw, as on invoices."""
        today = today or self.env['account.move']._ksef_today()
        first = today.replace(day=1) if period == 'month' else today
        return datetime.combine(first, time.min, WARSAW).astimezone(UTC).replace(tzinfo=None)

    def get_ksef_overview(self):
        """Everything that the screen shows, for the companies chosen at the top right.

        :return: ``companies`` (a row each: ``figures`` {name: {period: {count, amount}}} …), ``totals`` (their sums),
            ``todo`` [{level, text, count, action}], ``chart`` [{day, label, accepted, correct, other}], ``services``
            [{level, text}], ``can_send``, ``can_manage``, ``as_of``; amounts are texts in PLN, tax included
        :raise AccessError: the user may not see KSeF
        """
        self._check_reader()
        companies = self.env.companies
        connections = companies.sudo().ksef_connection_id
        figures = self._read_figures(companies)
        rows, zloty = self._company_rows(companies, figures), self.env.ref('base.PLN')
        return {
            'companies': [self._shown_row(row, zloty) for row in rows],
            'totals': self._shown_row(self._sum_rows(rows), zloty),
            'todo': self._todo(companies, rows),
            'chart': self._read_chart(companies),
            'services': self._services(connections),
            'has_connection': bool(connections),
            'can_send': self.env.user.has_group('l10n_pl_ksef.group_ksef_send'),
            'can_manage': self.env.user.has_group('l10n_pl_ksef.group_ksef_manage'),
            'as_of': self.env['ksef.service.state']._show_moment(fields.Datetime.now()),
        }

    # ------------------------------------------------------------------ figures

    @api.model
    def _read_figures(self, companies):
        """{company id: {figure: {period: [count, amount]}}} of the invoices' current documents, by one query."""
        for model in ('account.move', 'ksef.document'):
            self.env[model].flush_model()
        rows = self.env.execute_query(SQL(
            """
            SELECT m.company_id, d.state, p.period, COUNT(*),
                   SUM(CASE WHEN m.move_type IN ('in_invoice', 'in_refund') THEN -1 ELSE 1 END * m.amount_total_signed)
              FROM ksef_document d
              JOIN account_move m ON m.ksef_document_id = d.id
              JOIN (VALUES ('today', %(today)s::timestamp), ('month', %(month)s::timestamp), ('now', NULL)) AS p (period, since)
                ON d.create_date >= p.since OR (p.since IS NULL AND d.state NOT IN ('accepted', 'cancelled'))
             WHERE m.company_id IN %(companies)s
          GROUP BY m.company_id, d.state, p.period
            """, today=self._start_of('today'), month=self._start_of('month'), companies=tuple(companies.ids)))
        names = {state: name for name, states in FIGURES.items() for state in states}
        figures = {}
        for company_id, state, period, count, amount in rows:
            if state in names:
                cell = figures.setdefault(company_id, self._no_figures())[names[state]].setdefault(period, [0, 0.0])
                cell[0] += count
                cell[1] += float(amount or 0)
        return figures

    @api.model
    def _no_figures(self):
        return {name: {period: [0, 0.0] for period in periods} for name, periods in PERIODS.items()}

    @api.model
    def _company_rows(self, companies, figures):
        """A row for each company: figures, connection, received invoices, sends, and what ends."""
        received, sends, late = self._count_received(companies), self._count_sends(companies), self._count_late(companies)
        states = dict(self.env['ksef.connection']._fields['state']._description_selection(self.env))
        environments = dict(self.env['ksef.connection']._fields['environment']._description_selection(self.env))
        rows = []
        for company in companies:
            connection = company.sudo().ksef_connection_id
            # Who works in a branch alone learns how its parent's connection is, but nothing else about it.
            seen = connection if connection.company_id in self.env.companies else connection.browse()
            rows.append({
                'id': company.id, 'name': company.name,
                'figures': figures.get(company.id) or self._no_figures(),
                'received': received.get(company.id, 0), 'late': late.get(company.id, 0),
                'connection_id': seen.id, 'connection_state': connection.state or False,
                'connection_label': states.get(connection.state) or self.env._("Not connected"),
                'environment': connection.environment or False, 'environment_label': environments.get(connection.environment, ''),
                'message': seen.status_message or '', 'waits': seen.wait_message or '', 'ending': seen.ending_message or '',
                'sends': sends.get(seen.id, 0) if seen else 0, 'sends_allowed': SENDS_PER_HOUR if seen else 0,
                'fetches_left': seen.fetch_calls_left if seen else 0, 'fetches_allowed': seen.fetch_calls_allowed if seen else 0,
            })
        return rows

    @api.model
    def _sum_rows(self, rows):
        """A row with the sums of all."""
        totals = self._no_figures()
        for row in rows:
            for name, periods in row['figures'].items():
                for period, (count, amount) in periods.items():
                    totals[name][period][0] += count
                    totals[name][period][1] += amount
        return {'id': False, 'figures': totals} | {name: sum(row[name] for row in rows) for name in ('received', 'late')}

    @api.model
    def _shown_row(self, row, zloty):
        """A row with its amounts as texts."""
        return row | {'figures': {
            name: {period: {'count': count, 'amount': formatLang(self.env, amount, currency_obj=zloty)}
                   for period, (count, amount) in periods.items()}
            for name, periods in row['figures'].items()}}

    @api.model
    def _count_received(self, companies):
        """Purchases that nobody has decided on, failed ones among them, by company."""
        groups = self.env['ksef.received'].sudo()._read_group(self._received_domain(companies), ['company_id'], ['__count'])
        return {company.id: count for company, count in groups}

    @api.model
    def _received_domain(self, companies):
        return [('company_id', 'in', companies.ids), ('role', '=', 'buyer'), ('state', 'in', ('stored', 'failed'))]

    @api.model
    def _count_late(self, companies):
        """Documents without an answer for long (S1-09), by company."""
        groups = self.env['ksef.document'].sudo()._read_group(
            self.env['ksef.document']._late_domain() & Domain('company_id', 'in', companies.ids), ['company_id'], ['__count'])
        return {company.id: count for company, count in groups}

    @api.model
    def _count_sends(self, companies):
        """Single invoices sent in the last hour, by connection: what KSeF's limit counts."""
        hour_ago = fields.Datetime.now() - timedelta(hours=1)
        groups = self.env['ksef.document'].sudo()._read_group(
            [('connection_id', 'in', companies.sudo().ksef_connection_id.ids), ('sent_at', '>', hour_ago),
             ('session_id.kind', '=', 'online')],
            ['connection_id'], ['__count'])
        return {connection.id: count for connection, count in groups}

    # ------------------------------------------------------------------ the chart

    @api.model
    def _read_chart(self, companies):
        """What was picked on each of the last days, and what became of it: [{day, label, accepted, correct, other}]."""
        today = self.env['account.move']._ksef_today()
        first = today - timedelta(days=CHART_DAYS - 1)
        rows = self.env.execute_query(SQL(
            """
            SELECT (d.create_date AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Warsaw')::date AS day,
                   COUNT(*) FILTER (WHERE d.state = 'accepted'),
                   COUNT(*) FILTER (WHERE d.state IN %(correct)s),
                   COUNT(*) FILTER (WHERE d.state NOT IN %(correct)s AND d.state != 'accepted')
              FROM ksef_document d
              JOIN account_move m ON m.ksef_document_id = d.id
             WHERE m.company_id IN %(companies)s AND d.create_date >= %(since)s AND d.state != 'cancelled'
          GROUP BY 1
            """, correct=FIGURES['correct'], companies=tuple(companies.ids), since=self._start_of('today', first)))
        found = {day: counts for day, *counts in rows}
        days = [first + timedelta(days=number) for number in range(CHART_DAYS)]
        return [
            dict(zip(('accepted', 'correct', 'other'), found.get(day, (0, 0, 0)), strict=True))
            | {'day': day.isoformat(), 'label': f"{day.day}.{day.month:02d}", 'is_weekend': day.weekday() >= 5}
            for day in days]

    # ------------------------------------------------------------------ what needs a person

    @api.model
    def _services(self, connections):
        """What the Ministry says about the environments in use, each once."""
        found = {}
        for connection in connections:
            environment = connection._get_environment()
            if environment.latarnia_url not in found:
                found[environment.latarnia_url] = self.env['ksef.service.state']._describe(environment)
        return [{'level': level, 'text': text} for level, text in found.values() if text]

    @api.model
    def _todo(self, companies, rows):
        """What somebody has to look at, the gravest first; nothing where all is well."""
        totals = self._sum_rows(rows)
        several = len(rows) > 1
        todo = []
        for row in rows:
            named = f"{row['name']}: " if several else ''
            if row['connection_state'] == 'attention':
                message = named + (row['message'] or self.env._("The connection to KSeF needs attention."))
                todo.append(self._todo_row('danger', message, connection_id=row['connection_id']))
            todo += [
                self._todo_row('warning', named + line, connection_id=row['connection_id']) for line in row['ending'].splitlines()]
        texts = {
            'correct': self.env._("invoices must be corrected and sent again"),
            'late': self.env._("invoices wait for KSeF's answer for unusually long"),
            'unclear': self.env._("invoices whose fate is not certain yet"),
            'received': self.env._("received invoices wait for a decision"),
        }
        figures = totals['figures']
        counted = (
            ('danger', 'correct', figures['correct']['now'][0]), ('danger', 'late', totals['late']),
            ('warning', 'unclear', figures['unclear']['now'][0]), ('info', 'received', totals['received']))
        todo += [self._todo_row(level, texts[figure], count=count, figure=figure) for level, figure, count in counted if count]
        todo += [self._todo_row(level, text, count=count, figure=figure)
                 for level, figure, count, text in self._todo_of_others(companies) if count]
        order = ('danger', 'warning', 'info')
        return sorted(todo, key=lambda one: order.index(one['level']))

    @api.model
    def _todo_row(self, level, text, count=0, figure=False, connection_id=False):
        return {'level': level, 'text': text, 'count': count, 'figure': figure, 'connection_id': connection_id}

    @api.model
    def _todo_of_others(self, companies):
        """(level, figure, count, text) of what other features watch: invoices that lack KSeF, deadlines of offline ones."""
        moves, found = self.env['account.move'], []
        texts = {
            'overdue': self.env._("invoices issued offline are past their legal deadline"),
            'deadline': self.env._("invoices issued offline must reach KSeF by tomorrow"),
            'missing': self.env._("confirmed invoices to businesses are not in KSeF"),
        }
        for figure, text in texts.items():
            level = 'danger' if figure == 'overdue' else 'warning'
            domain = self._figure_domain(figure, companies, 'now')
            if domain is not None:
                found.append((level, figure, moves.search_count(domain), text))
        mails = self.env['ksef.delivery'].search_count(self._mails_domain(companies))
        return [*found, ('warning', 'mails', mails, self.env._("e-mails to customers must be looked at"))]

    @api.model
    def _mails_domain(self, companies):
        """E-mails that nobody knows the fate of, or that did not go."""
        return [('company_id', 'in', companies.ids), ('state', 'in', ('unsure', 'failed'))]

    # ------------------------------------------------------------------ the lists behind the figures

    @api.model
    def _figure_domain(self, figure, companies, period):
        """The invoices behind a figure, as a domain; ``None`` where a feature isn't there."""
        domain = Domain('company_id', 'in', companies.ids)
        if figure in FIGURES:
            domain &= Domain('ksef_state', 'in', FIGURES[figure])
        elif figure == 'late':
            domain &= Domain('ksef_document_id', 'any', self.env['ksef.document']._late_domain())
        elif figure in ('overdue', 'deadline'):
            if 'offline_deadline' not in self.env['ksef.document']._fields:
                return None
            today = self.env['account.move']._ksef_today()
            waiting = Domain(self.env['ksef.document']._owed_domain()) & Domain('offline_deadline', '!=', False)
            days = Domain('offline_deadline', '<', today) if figure == 'overdue' else (
                Domain('offline_deadline', '>=', today) & Domain('offline_deadline', '<=', today + timedelta(days=1)))
            domain &= Domain('ksef_document_id', 'any', waiting & days)
        elif figure == 'missing':
            if 'ksef_is_missing' not in self.env['account.move']._fields:
                return None
            domain &= Domain('ksef_is_missing', '=', True)
        else:
            return None
        if period in ('today', 'month'):
            since = fields.Datetime.to_string(self._start_of(period))
            domain &= Domain('ksef_document_id', 'any', [('create_date', '>=', since)])
        return domain

    def open_ksef_figure(self, figure='way', period='now', company_id=False):
        """The list behind a figure of the screen, as an action.

        :param figure: a key of FIGURES, 'late', 'received', 'mails', or what other features watch
        :param period: 'today', 'month' or 'now'; :param company_id: one company, else all that are chosen
        :raise AccessError: the user may not see KSeF, or not this company
        """
        self._check_reader()
        companies = self.env['res.company'].browse(company_id) if company_id else self.env.companies
        if companies - self.env.companies:
            raise AccessError(self.env._("Choose the company at the top right first."))
        if figure == 'received':
            return {
                'type': 'ir.actions.act_window', 'name': self.env._("Received invoices to decide on"), 'res_model': 'ksef.received',
                'views': [(False, 'list'), (False, 'form')], 'domain': self._received_domain(companies)}
        if figure == 'mails':
            return {
                'type': 'ir.actions.act_window', 'name': self.env._("E-mails to be looked at"), 'res_model': 'ksef.delivery',
                'views': [(False, 'list')], 'domain': self._mails_domain(companies)}
        domain = self._figure_domain(figure, companies, period)
        if domain is None:
            raise AccessError(self.env._("There is no such list."))
        return {
            'type': 'ir.actions.act_window', 'name': self._figure_label(figure), 'res_model': 'account.move',
            'views': [(self.env.ref('account.view_out_invoice_tree').id, 'list'), (False, 'form')],
            'domain': list(domain), 'context': {'default_move_type': 'out_invoice', 'create': False}}

    @api.model
    def _figure_label(self, figure):
        return {
            'way': self.env._("On their way to KSeF"), 'accepted': self.env._("Accepted by KSeF"),
            'correct': self.env._("To be corrected"), 'unclear': self.env._("Not certain"),
            'late': self.env._("Without an answer for long"), 'overdue': self.env._("Past their deadline"),
            'deadline': self.env._("Deadline near"), 'missing': self.env._("Not in KSeF"),
        }[figure]

    def action_ksef_refresh_open(self):
        """Have the workers ask KSeF about everything of the chosen companies that is not settled ("Statuses in KSeF", S2-05).

        :return: the number of documents that are asked about
        :raise AccessError: the user may not send
        """
        self.env['account.move']._ksef_check_sender()
        documents = self.env['ksef.document'].sudo().search([
            ('company_id', 'in', self.env.companies.ids), ('state', 'in', (*OPEN_STATES, 'help'))])
        documents._check_again()
        return len(documents)
