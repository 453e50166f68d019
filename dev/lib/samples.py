"""Real invoices of every kind, made in Odoo: what dev/samples writes."""

import base64
import traceback
from datetime import timedelta
from decimal import Decimal

from lxml import etree
from odoo import Command
from odoo.addons.l10n_pl_ksef.ksef.fa3.finding import has_errors
from odoo.addons.l10n_pl_ksef.ksef.number import crc8
from odoo.addons.l10n_pl_ksef.models.ksef_invoice_context import Entry, RenderContext

SELLER_NIP, BUYER_NIP = '5795955811', '5261040828'
NS = {'fa': 'http://crd.gov.pl/wzor/2025/06/25/13775/'}


class World:
    """A Polish company with buyers, and the verbs that kinds are made with."""

    def __init__(self, env):
        company = env['res.company'].create({
            'name': "Sprzedawca sp. z o.o.", 'vat': f'PL{SELLER_NIP}', 'street': "ul. Prosta 1", 'zip': "00-838", 'city': "Warszawa",
            'country_id': env.ref('base.pl').id, 'currency_id': env.ref('base.PLN').id})
        env.user.write({'company_ids': [Command.link(company.id)], 'company_id': company.id})
        self.env = env(context=dict(env.context, allowed_company_ids=company.ids, tracking_disable=True))
        self.company = company.with_env(self.env)
        self.env['account.chart.template'].try_loading('pl', company=self.company, install_demo=False)
        # Loading may set the models up anew: what was read before belongs to classes that are no more.
        self.env.flush_all()
        self.env.invalidate_all()
        self.company = self.env['res.company'].browse(company.id)
        self.today = self.env['account.move']._ksef_today()
        self.bank = self.env['res.partner.bank'].create({
            'acc_number': 'PL61109010140000071219812874', 'partner_id': company.partner_id.id})
        self.buyer = self.partner("Nabywca S.A.", vat=f'PL{BUYER_NIP}')
        self.german = self.partner("Käufer GmbH", country='de', vat='DE123456788', city="Berlin")
        self.american = self.partner("Buyer Inc.", country='us', vat='12-3456789', city="Boston")
        self.person = self.partner("Jan Kowalski", is_company=False)
        self.connection = self.env['ksef.connection'].sudo().create({
            'company_id': company.id, 'environment': 'test', 'nip': SELLER_NIP, 'state': 'connected',
            'database_uuid': self.env['ir.config_parameter'].sudo().get_param('database.uuid')})
        self.company.sudo().ksef_connection_id = self.connection
        self.euro = self._euro()
        self._accepted = 0

    def _euro(self):
        euro = self.env.ref('base.EUR')
        euro.active = True
        for days in range(12):
            self.env['res.currency.rate'].create({
                'currency_id': euro.id, 'name': self.today - timedelta(days=days), 'inverse_company_rate': 4.2567,
                'company_id': self.company.id})
        return euro

    def partner(self, name, country='pl', **values):
        return self.env['res.partner'].create({
            'name': name, 'street': "ul. Długa 7", 'zip': "31-147", 'city': "Kraków", 'is_company': True,
            'country_id': self.env.ref(f'base.{country}').id, **values})

    def tax(self, template, **own):
        """A tax of the chart; with values a copy of it without grids, told by its own field."""
        tax = self.env['account.chart.template'].with_company(self.company).ref(template)
        tax.active = True
        if not own:
            return tax
        tax = tax.copy({'name': f"{template} {len(self.env['account.tax'].search([]))}"})
        if 'ksef_rate' in own:
            tax.repartition_line_ids.tag_ids = False
        tax.write(own)
        return tax

    def line(self, name="Towar", tax='vs_kraj_23', **values):
        tax = self.tax(tax) if isinstance(tax, str) else tax
        return {'name': name, 'quantity': 1, 'price_unit': 100.0, 'tax_ids': [Command.set(tax.ids)], **values}

    def product(self, name, **values):
        return self.env['product.product'].create({'name': name, **values})

    def invoice(self, *lines, **values):
        """A confirmed invoice of today."""
        move = self.env['account.move'].create({
            'move_type': 'out_invoice', 'partner_id': self.buyer.id, 'partner_bank_id': self.bank.id, 'invoice_date': self.today,
            'invoice_line_ids': [Command.create(line) for line in lines or [self.line()]], **values})
        move.action_post()
        return move

    def accepted(self, move):
        """The invoice after KSeF has taken it: by a document that has gone through all states."""
        self._accepted += 1
        stem = f'{SELLER_NIP}-{self.today:%Y%m%d}-{self._accepted:06X}ABCDEF'
        document = move._ksef_pick().sudo()
        if document.state != 'queued':
            raise AssertionError(f"{move.name}: {document.findings}")
        document._transition('sending')
        document._transition('sent', reference_number=f'{self.today:%Y%m%d}-EE-{self._accepted:010X}-0000000000-00')
        document._transition('accepted', ksef_number=f'{stem}-{crc8(stem)}', acquisition_date=f'{self.today} 10:00:00')
        document._sync_moves()
        return move

    def credit(self, move, *changes, **values):
        """A credit note by the wizard; changes are dicts for its lines in their order, None takes a line off."""
        more = values.pop('more', [])
        wizard = self.env['account.move.reversal'].with_context(active_model='account.move', active_ids=move.ids).create({
            'journal_id': move.journal_id.id, 'date': self.today, 'reason': values.pop('reason', "zwrot towaru"), **values})
        refund = self.env['account.move'].browse(wizard.refund_moves()['res_id'])
        lines = refund.invoice_line_ids.filtered(lambda line: line.display_type == 'product')
        commands = [
            Command.delete(line.id) if change is None else Command.update(line.id, change)
            for line, change in zip(lines, changes, strict=False) if change != {}]
        refund.write({'invoice_line_ids': [*commands, *map(Command.create, more)]})
        refund.action_post()
        return refund


def write_all(env, directory):
    """Make one invoice of every kind and write its XML; return the names of those that failed."""
    import samples_kinds_trade  # noqa: F401 - adds its kinds
    from samples_kinds import KINDS

    world, failed = World(env), []
    for name, make in KINDS.items():
        try:
            with env.cr.savepoint():
                problem = _write(make(world), directory / f'{name}.xml')
        except Exception:  # noqa: BLE001 - a kind that fails must not hide the others
            problem = traceback.format_exc(limit=-3)
        if problem:
            failed.append(name)
        print(f"{name:40} {problem or 'ok'}", flush=True)
    print(f"{len(KINDS) - len(failed)} of {len(KINDS)} kinds written to {directory}")
    return failed


def _write(move, path):
    """Write the XML of one invoice; return what is wrong with it."""
    document = move.sudo().ksef_document_id
    if document.xml:
        xml = base64.b64decode(document.xml)
    else:
        rendered = move._ksef_render()
        errors = [finding for finding in rendered.findings if finding['severity'] == 'error']
        if {finding['code'] for finding in errors} == {'attachment-batch'}:
            xml = _proven(move)  # right, but to be sent in a batch only
        elif errors or not rendered.xml:
            return f"refused: {[finding['message'] for finding in errors]}"
        else:
            xml = rendered.xml
    path.write_bytes(xml)
    return check_totals(move, etree.fromstring(xml))


def _proven(move):
    """The document of an invoice that is proven, but refused for how it would be sent."""
    context = RenderContext(move, None)
    invoice, _origin = move._ksef_build(context, Entry(move), refused=False)
    xml, findings = move._ksef_prove(context, invoice, refused=False)
    if has_errors(findings):
        raise AssertionError(findings)
    return xml


def check_totals(move, root):
    """Return how totals and journal entry differ (counted here again, from the journal items alone), if they do."""
    foreign = move.currency_id != move.company_currency_id
    field = 'amount_currency' if foreign else 'balance'

    def booked(condition, name=field):
        return -sum((Decimal(f'{item[name]:.2f}') for item in move.line_ids if condition(item)), Decimal(0))

    def stated(*beginnings, without=()):
        elements = root.find('fa:Fa', NS)
        names = ((etree.QName(element).localname, element.text) for element in elements)
        return sum((Decimal(text) for name, text in names if name.startswith(beginnings) and not name.endswith(without)), Decimal(0))

    rounding = booked(lambda item: item.display_type == 'rounding')
    checks = {
        "net": (stated('P_13_'), booked(lambda item: item.display_type == 'product')),
        "tax": (stated('P_14_', without=('W',)), booked(lambda item: item.tax_line_id)),
        "total": (stated('P_15') - stated('P_15ZK'), -booked(lambda item: item.display_type == 'payment_term') - rounding),
    }
    if foreign:
        taxed = booked(lambda item: item.tax_line_id, 'balance')
        in_pln = [element.text for element in root.find('fa:Fa', NS) if etree.QName(element).localname.endswith('W')]
        checks["tax in PLN"] = (sum(map(Decimal, in_pln), Decimal(0)), taxed)
    wrong = [f"{name} {ours} in the XML, {theirs} in the journal" for name, (ours, theirs) in checks.items() if ours != theirs]
    return "; ".join(wrong)
