"""Dates, payment, schema and the proof as a whole; what Odoo's own module gets wrong; batches."""
import os
import re
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

from freezegun import freeze_time
from lxml import etree
from odoo import Command, fields
from odoo.tests import tagged

from ..ksef.fa3 import rules
from ..ksef.fa3.finding import error
from ..models.ksef_invoice_texts import FAULT, TEXTS
from .test_fa3_common import Fa3Common

SHARED = Path(os.environ.get('KSEF_SHARED') or Path(__file__).resolve().parents[1].parent / 'shared')
OFFICIAL = SHARED / 'ksef' / 'xsd' / 'fa3' / 'schemat_FA(3)_v1-0E.xsd'

# An ordinary invoice, every element in its place.
DOCUMENT = """
<Faktura xmlns="http://crd.gov.pl/wzor/2025/06/25/13775/">
  <Naglowek>
    <KodFormularza kodSystemowy="FA (3)" wersjaSchemy="1-0E">FA</KodFormularza>
    <WariantFormularza>3</WariantFormularza>
    <DataWytworzeniaFa>2026-11-21T10:11:12Z</DataWytworzeniaFa>
    <SystemInfo>Odoo l10n_pl_ksef</SystemInfo>
  </Naglowek>
  <Podmiot1>
    <DaneIdentyfikacyjne><NIP>5795955811</NIP><Nazwa>Sprzedawca sp. z o.o.</Nazwa></DaneIdentyfikacyjne>
    <Adres><KodKraju>PL</KodKraju><AdresL1>ul. Prosta 1</AdresL1><AdresL2>00-838 Warszawa</AdresL2></Adres>
    <DaneKontaktowe><Email>biuro@example.com</Email><Telefon>+48 22 123 45 67</Telefon></DaneKontaktowe>
  </Podmiot1>
  <Podmiot2>
    <DaneIdentyfikacyjne><NIP>5261040828</NIP><Nazwa>Nabywca S.A.</Nazwa></DaneIdentyfikacyjne>
    <Adres><KodKraju>PL</KodKraju><AdresL1>ul. Długa 7</AdresL1><AdresL2>31-147 Kraków</AdresL2></Adres>
    <JST>2</JST><GV>2</GV>
  </Podmiot2>
  <Fa>
    <KodWaluty>PLN</KodWaluty><P_1>{today}</P_1><P_2>{number}</P_2><P_6>{supply}</P_6>
    <P_13_1>90.00</P_13_1><P_14_1>20.70</P_14_1><P_15>110.70</P_15>
    <Adnotacje>
      <P_16>2</P_16><P_17>2</P_17><P_18>2</P_18><P_18A>2</P_18A><Zwolnienie><P_19N>1</P_19N></Zwolnienie>
      <NoweSrodkiTransportu><P_22N>1</P_22N></NoweSrodkiTransportu><P_23>2</P_23>
      <PMarzy><P_PMarzyN>1</P_PMarzyN></PMarzy>
    </Adnotacje>
    <RodzajFaktury>VAT</RodzajFaktury>
    <DodatkowyOpis>
      <NrWiersza>1</NrWiersza><Klucz>Uwaga</Klucz><Wartosc>do odbioru</Wartosc>
    </DodatkowyOpis>
    <FaWiersz>
      <NrWierszaFa>1</NrWierszaFa><UU_ID>{uid}</UU_ID><P_7>Towar</P_7><P_8B>2</P_8B>
      <P_9A>50.00</P_9A><P_10>10.00</P_10><P_11>90.00</P_11><P_12>23</P_12>
    </FaWiersz>
    <Platnosc>
      <TerminPlatnosci><Termin>{due}</Termin></TerminPlatnosci>
      <FormaPlatnosci>6</FormaPlatnosci>
      <RachunekBankowy>
        <NrRB>PL61109010140000071219812874</NrRB><SWIFT>WBKPPLPPXXX</SWIFT>
        <NazwaBanku>Bank Testowy</NazwaBanku>
      </RachunekBankowy>
    </Platnosc>
  </Fa>
</Faktura>"""


@tagged('post_install', '-at_install')
class TestDates(Fa3Common):

    def test_today_is_polish(self):
        moments = {
            '2026-11-21 22:59:59': date(2026, 11, 21), '2026-11-21 23:00:00': date(2026, 11, 22),
            '2026-07-01 21:59:59': date(2026, 7, 1), '2026-07-01 22:00:00': date(2026, 7, 2),
        }
        for moment, day in moments.items():
            with freeze_time(moment):
                self.assertEqual(self.env['account.move']._ksef_today(), day)
                self.assertEqual(self.env['account.move'].with_context(tz='America/New_York')._ksef_today(), day)

    def test_issue_date(self):
        today = self.env['account.move']._ksef_today()
        late = self.warned(self.new_invoice(invoice_date=today - timedelta(1)), 'issue-date-past')
        self.assertEqual(late['remedy'], 'set_today')
        self.assertIn("offline", late['message'])
        future = self.refused(self.new_invoice(invoice_date=today + timedelta(1)), 'issue-date-future')
        self.assertEqual((future['res_model'], future['field']), ('account.move', "Invoice/Bill Date"))
        root = self.render(self.new_invoice(invoice_date=today))
        self.assertEqual(self.one(root, 'Fa/P_1'), today.isoformat())

    def test_an_invoice_of_tomorrow_in_a_zone_ahead(self):
        with freeze_time('2026-11-21 22:30:00'):  # 23:30 in Warsaw, the 22nd in Auckland
            self.refused(self.new_invoice(invoice_date=date(2026, 11, 22)), 'issue-date-future')
        with freeze_time('2026-11-21 23:30:00'):
            self.assertEqual(self.codes(self.new_invoice(invoice_date=date(2026, 11, 22))), [])

    def test_date_of_supply(self):
        today = self.env['account.move']._ksef_today()
        before = today - timedelta(10)
        cases = (
            ({}, None), ({'taxable_supply_date': today}, None), ({'taxable_supply_date': before}, before),
            ({'delivery_date': before}, before), ({'delivery_date': today}, None),
            ({'taxable_supply_date': before, 'delivery_date': before}, before),
        )
        for values, expected in cases:
            with self.subTest(values):
                root = self.render(self.new_invoice(**values))
                self.assertEqual(self.one(root, 'Fa/P_6'), expected and expected.isoformat())

    def test_two_dates_of_supply(self):
        today = self.env['account.move']._ksef_today()
        move = self.new_invoice(taxable_supply_date=today - timedelta(3), delivery_date=today - timedelta(5))
        finding = self.warned(move, 'supply-date-conflict')
        self.assertIn((today - timedelta(3)).isoformat(), finding['message'])
        self.assertEqual(self.one(self.render(move), 'Fa/P_6'), (today - timedelta(3)).isoformat())

    def test_supply_long_after_the_invoice(self):
        today = self.env['account.move']._ksef_today()
        self.render(self.new_invoice(delivery_date=today + timedelta(60)))
        finding = self.refused(self.new_invoice(delivery_date=today + timedelta(61)), 'supply-date-far')
        self.assertEqual(finding['field'], "Delivery Date")

    def test_moment_of_making(self):
        rendered = self.new_invoice()._ksef_render(fields.Datetime.to_datetime('2026-11-21 10:11:12'))
        self.assertIn(b'<DataWytworzeniaFa>2026-11-21T10:11:12Z<', rendered.xml)

    def test_due_dates(self):
        today = self.env['account.move']._ksef_today()
        root = self.render(self.new_invoice(invoice_date_due=today + timedelta(14), invoice_payment_term_id=False))
        self.assertEqual(self.all(root, 'Fa/Platnosc/TerminPlatnosci/Termin'), [(today + timedelta(14)).isoformat()])
        term = self.env['account.payment.term'].create({'name': "2 raty", 'line_ids': [
            Command.create({'value': 'percent', 'value_amount': 50, 'nb_days': days}) for days in (30, 10)]})
        root = self.render(self.new_invoice(invoice_payment_term_id=term.id))
        self.assertEqual(self.all(root, 'Fa/Platnosc/TerminPlatnosci/Termin'), [
            (today + timedelta(days)).isoformat() for days in (10, 30)])


@tagged('post_install', '-at_install')
class TestProof(Fa3Common):

    def test_rendered_invoice(self):
        move = self.new_invoice()
        rendered = move._ksef_render()
        self.assertEqual(
            (rendered.invoice_number, rendered.issue_date, rendered.seller_nip, rendered.invoice_kind),
            (move.name, move.invoice_date, '5795955811', 'VAT'))
        self.assertTrue(rendered.xml.startswith(b'<?xml'))
        self.assertEqual(self.one(etree.fromstring(rendered.xml), 'Fa/P_2'), move.name)
        self.assertEqual(self.one(etree.fromstring(rendered.xml), 'Fa/RodzajFaktury'), 'VAT')

    def test_whole_document(self):
        """Every element of an ordinary invoice, in its place."""
        self.company.write({'email': "biuro@example.com", 'phone': "+48 22 123 45 67"})
        today = self.env['account.move']._ksef_today()
        move = self.new_invoice(
            {'name': "Towar", 'quantity': 2, 'price_unit': 50, 'discount': 10},
            {'name': "do odbioru", 'display_type': 'line_note'},
            partner_bank_id=self.bank_account.id, taxable_supply_date=today - timedelta(2),
            invoice_date_due=today + timedelta(7), invoice_payment_term_id=False)
        xml = move._ksef_render(fields.Datetime.to_datetime('2026-11-21 10:11:12')).xml.decode()
        uid = re.search(r'<UU_ID>([0-9a-f-]{36})</UU_ID>', xml)[1]
        expected = DOCUMENT.format(
            uid=uid, today=today, number=move.name, supply=today - timedelta(2), due=today + timedelta(7))
        lines = "".join(line.strip() for line in expected.splitlines())
        self.assertEqual(xml, "<?xml version='1.0' encoding='UTF-8'?>\n" + lines)

    def test_nothing_is_written(self):
        move = self.new_invoice()
        self.env.flush_all()
        with patch.object(type(move), 'write', side_effect=AssertionError), \
                patch.object(type(move.line_ids), 'write', side_effect=AssertionError), \
                patch.object(type(move), 'create', side_effect=AssertionError):
            move._ksef_render()

    def test_official_schema_agrees(self):
        """The Ministry's own files, with their own base types, accept what ours accept."""
        if not OFFICIAL.exists():
            self.skipTest(f"the official schema is not at {OFFICIAL}")

        class Files(etree.Resolver):
            def resolve(self, url, public_id, context):
                name = url.rpartition('/')[2]
                found = next(path for path in (SHARED / 'ksef' / 'xsd').rglob(name))
                return self.resolve_string(found.read_bytes(), context, base_url=url)

        parser = etree.XMLParser(no_network=True)
        parser.resolvers.add(Files())
        schema = etree.XMLSchema(etree.fromstring(OFFICIAL.read_bytes(), parser))
        german = self.new_partner(country='de', vat='DE123456788')
        for values in ({}, {'partner_id': german.id}, {'partner_bank_id': self.bank_account.id}):
            move = self.new_invoice({'discount': 7}, {'display_type': 'line_note', 'name': "ł" * 300}, **values)
            schema.assertValid(self.render(move))

    def test_number(self):
        move = self.new_invoice()
        cases = (('FV  1', 'text-spaces'), (' FV1', 'text-spaces'), ('F' * 257, 'text-too-long'),
                 ('FV\x9f', 'character-forbidden'))
        for name, code in cases:
            with self.subTest(name):
                self.env.cr.execute("UPDATE account_move SET name = %s WHERE id = %s", [name, move.id])
                self.env.invalidate_all()
                finding = self.refused(move, code)
                self.assertEqual((finding['res_model'], finding['res_id']), ('account.move', move.id))
        self.env.cr.execute("UPDATE account_move SET name = %s WHERE id = %s", ["F" * 256, move.id])
        self.env.invalidate_all()
        self.render(move)

    def test_no_schema_on_the_server(self):
        move = self.new_invoice()
        with patch.object(type(move), '_ksef_schema_files', return_value=[]):
            self.warned(move, 'schema-missing')

    def test_schema_that_can_not_be_used(self):
        move = self.new_invoice()
        broken = Path(self.env['ir.attachment']._filestore()) / 'broken.xsd'
        broken.parent.mkdir(parents=True, exist_ok=True)
        broken.write_bytes(b'<no-schema/>')
        self.addCleanup(broken.unlink)
        for files in ([broken], [broken.with_name('absent.xsd')]):
            with patch.object(type(move), '_ksef_schema_files', return_value=files):
                self.assertIn("can't be used", self.warned(move, 'schema-broken')['message'])

    def test_what_only_the_schema_would_find(self):
        """A fault that the rules let through still doesn't leave: the schema stops it, and names the field."""
        move = self.new_invoice()
        move.invoice_line_ids.name = "x" * 600
        with patch('odoo.addons.l10n_pl_ksef.models.ksef_invoice_lines.shorten', lambda text, limit: text), \
                patch.object(rules, 'check', return_value=[]):
            finding = self.refused(move, 'schema')
        self.assertIn("P_7", finding['message'])
        self.assertEqual((finding['res_model'], finding['res_id']), ('account.move.line', move.invoice_line_ids.id))

    def test_document_that_is_too_large(self):
        move = self.new_invoice()
        with patch.object(rules, 'MAX_SIZE', 1000):
            self.assertIn("1000", self.refused(move, 'file-size')['message'])

    def test_every_code_has_a_text(self):
        """Codes of the rules that a user can meet; the others are faults of the program and say so."""
        internal = {
            'supply-date-same', 'line-numbers', 'line-uids', 'remark-line', 'group-twice', 'line-rate-missing',
            'line-net-missing', 'total-tax-missing', 'seller-prefix-missing', 'buyer-unit', 'eu-number-polish',
            'reverse-charge-missing', 'reverse-charge-unfounded', 'number-range', 'email-format', 'file-encoding',
            'file-byte-order-mark', 'file-not-xml', 'file-doctype', 'file-instruction', 'choice-several', 'choice-missing',
            'code-excluded',
        }
        sources = (Path(__file__).resolve().parents[1] / 'ksef' / 'fa3').glob('*.py')
        text = "\n".join(path.read_text() for path in sources)
        codes = set(re.findall(r"(?:error|warning|return|yield|_sum_error)\(?\s*'([a-z]+(?:-[a-z]+)+)'", text))
        codes |= set(re.findall(r"'([a-z]+-format)'", text))
        self.assertGreater(len(codes), 40)
        self.assertEqual({code for code in codes - internal if code not in TEXTS}, set())
        move = self.new_invoice()
        with patch.object(rules, 'check', return_value=[error('line-numbers', 'lines', "not numbered")]):
            self.assertIn("not numbered", self.refused(move, 'line-numbers')['message'])

    def test_texts_take_their_values(self):
        self.env['res.lang']._activate_lang('pl_PL')
        values = dict.fromkeys((
            'value', 'expected', 'today', 'limit', 'length', 'character', 'position', 'minimum', 'maximum', 'count',
            'size', 'rates', 'element', 'reason', 'message', 'price'), '1')
        for language in ('en_US', 'pl_PL'):
            translate = self.env(context={'lang': language})._
            for code, text in {**TEXTS, 'fault': FAULT}.items():
                with self.subTest(f"{language} {code}"):
                    self.assertNotIn('%(', translate(text) % values)

    def test_batch(self):
        moves = self.env['account.move'].union(*(
            self.new_invoice({'name': f"{number}"}, {'tax': self.chart_tax('vs_kraj_8')}) for number in range(6)))
        single = {move: move._ksef_render(self.env.cr.now()).xml for move in moves}
        self.assertEqual({move: rendered.xml for move, rendered in moves._ksef_render_batch(self.env.cr.now()).items()}, single)
        counts = []
        for batch in (moves[:2], moves[:2], moves):  # the first fills caches that outlive a transaction
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            batch._ksef_render_batch()
            counts.append(self.env.cr.sql_log_count - start)
        self.assertEqual(counts[1], counts[2], "queries don't grow with the number of invoices")

    def test_accountant_without_system_rights(self):
        user = self.env['res.users'].create({
            'name': "Księgowa", 'login': "ksiegowa", 'company_id': self.company.id, 'company_ids': [self.company.id],
            'group_ids': [Command.set([self.env.ref('account.group_account_invoice').id])]})
        move = self.new_invoice(partner_bank_id=self.bank_account.id)
        self.env.invalidate_all()
        self.assertEqual(self.codes(move.with_user(user)), [])

    def test_polish_texts_are_looked_up(self):
        """Findings are in the language of whoever looks, not in that of the document."""
        self.env['res.lang']._activate_lang('pl_PL')
        move = self.new_invoice({'tax_ids': False})
        label = move.with_context(lang='pl_PL')._fields['invoice_date'].get_description(
            move.with_context(lang='pl_PL').env, ['string'])['string']
        late = self.new_invoice(invoice_date=self.env['account.move']._ksef_today() + timedelta(2))
        [finding] = late.with_context(lang='pl_PL')._ksef_render().findings
        self.assertEqual(finding['field'], label)
