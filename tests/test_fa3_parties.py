"""Seller, buyers of every kind, addresses, contacts, accounts."""
from odoo.tests import tagged

from .test_fa3_common import Fa3Common

BUYER = 'Podmiot2/DaneIdentyfikacyjne'
ADDRESS = ('KodKraju', 'AdresL1', 'AdresL2')


@tagged('post_install', '-at_install')
class TestParties(Fa3Common):

    def identity(self, partner, **line):
        """What identifies a buyer in the XML: {element: text}."""
        root = self.render(self.new_invoice(line, partner_id=partner.id))
        elements = ('NIP', 'KodUE', 'NrVatUE', 'KodKraju', 'NrID', 'BrakID', 'Nazwa')
        return {name: text for name in elements if (text := self.one(root, f'{BUYER}/{name}'))}

    def test_seller(self):
        self.company.write({
            'vat': '579-595-58-11', 'name': "  Sprzedawca \n sp. z o.o. ", 'street2': "lok. 4", 'phone': "+48 22 123 45 67",
            'email': "biuro@example.com"})
        root = self.render(self.new_invoice())
        self.assertEqual(self.one(root, 'Podmiot1/DaneIdentyfikacyjne/NIP'), '5795955811')
        self.assertEqual(self.one(root, 'Podmiot1/DaneIdentyfikacyjne/Nazwa'), "Sprzedawca sp. z o.o.")
        address = [self.one(root, f'Podmiot1/Adres/{name}') for name in ADDRESS]
        self.assertEqual(address, ['PL', "ul. Prosta 1 lok. 4", "00-838 Warszawa"])
        self.assertEqual(self.one(root, 'Podmiot1/DaneKontaktowe/Email'), "biuro@example.com")
        self.assertEqual(self.one(root, 'Podmiot1/DaneKontaktowe/Telefon'), "+48 22 123 45 67")

    def test_ways_to_store_a_polish_number(self):
        stored = 'PL5795955811', '5795955811', '579-595-58-11', 'PL 579-595-58-11', ' pl5795955811 '
        for vat in stored:
            self.env.cr.execute("UPDATE res_partner SET vat = %s WHERE id IN %s", [
                vat, (self.company.partner_id.id, self.buyer.id)])
            self.env.invalidate_all()
            with self.subTest(vat):
                root = self.render(self.new_invoice())
                self.assertEqual(self.one(root, 'Podmiot1/DaneIdentyfikacyjne/NIP'), '5795955811')
                self.assertEqual(self.one(root, f'{BUYER}/NIP'), '5795955811')
                self.assertEqual(self.new_invoice()._ksef_render().seller_nip, '5795955811')

    def test_faults_of_the_seller(self):
        cases = {
            'nip-checksum': {'vat': 'PL5795955812'},
            'nip-format': {'vat': 'DE123456788'},
            'value-missing': {'vat': False},
        }
        for code, values in cases.items():
            with self.subTest(code):
                move = self.new_invoice()
                for field, value in values.items():
                    self.env.cr.execute(
                        f"UPDATE res_partner SET {field} = %s WHERE id = %s", [value or None, self.company.partner_id.id])
                self.env.invalidate_all()
                finding = self.refused(move, code)
                self.assertEqual((finding['res_model'], finding['res_id']), ('res.company', self.company.id))
                self.assertIn("Tax ID", finding['field'])

    def test_seller_without_address(self):
        move = self.new_invoice()
        self.company.write({'street': False, 'street2': False, 'city': False})
        self.assertIn("address", self.refused(move, 'value-missing')['message'])

    def test_polish_business(self):
        partner = self.new_partner(name="Nabywca", vat='PL5261040828')
        self.assertEqual(self.identity(partner), {'NIP': '5261040828', 'Nazwa': "Nabywca"})

    def test_polish_sole_trader_is_no_company_in_odoo(self):
        partner = self.new_partner(name="Jan Kowalski", is_company=False, vat='5261040828')
        self.assertEqual(self.identity(partner), {'NIP': '5261040828', 'Nazwa': "Jan Kowalski"})

    def test_private_person(self):
        partner = self.new_partner(name="Anna Nowak", is_company=False, email="anna@example.com", phone="600100200")
        self.assertEqual(self.identity(partner), {'BrakID': '1', 'Nazwa': "Anna Nowak"})
        root = self.render(self.new_invoice(partner_id=partner.id))
        self.assertEqual(self.all(root, 'Podmiot2/DaneKontaktowe/Email'), [], "private contact data stay private")

    def test_polish_company_without_number_is_asked_for_it(self):
        partner = self.new_partner(name="Bez NIP sp. z o.o.")
        finding = self.refused(self.new_invoice(partner_id=partner.id), 'value-missing')
        self.assertIn("NIP", finding['message'])
        self.assertEqual((finding['res_model'], finding['res_id']), ('res.partner', partner.id))
        partner.vat = '/'
        self.assertEqual(self.identity(partner), {
            'BrakID': '1', 'Nazwa': partner.name}, "Odoo's / means: has none")

    def test_european_buyers(self):
        cases = {
            ('de', 'DE123456788'): ('DE', '123456788'),
            ('gr', 'EL123456783'): ('EL', '123456783'),
            ('gr', 'GR123456783'): ('EL', '123456783'),
            ('at', 'ATU12345675'): ('AT', 'U12345675'),
            ('es', 'ESA12345674'): ('ES', 'A12345674'),
            ('nl', 'NL123456782B90'): ('NL', '123456782B90'),
            ('ie', 'IE1234567FA'): ('IE', '1234567FA'),
            ('uk', 'XI123456782'): ('XI', '123456782'),
            ('de', '123456788'): ('DE', '123456788'),
            ('ch', 'ATU12345675'): ('AT', 'U12345675'),
        }
        for (country, vat), (prefix, number) in cases.items():
            with self.subTest(vat):
                partner = self.new_partner(country=country, name="EU")
                self.env.cr.execute("UPDATE res_partner SET vat = %s WHERE id = %s", [vat, partner.id])
                self.env.invalidate_all()
                self.assertEqual(self.identity(partner), {'KodUE': prefix, 'NrVatUE': number, 'Nazwa': "EU"})

    def test_buyers_elsewhere(self):
        cases = (
            ('us', '12-3456789', 'US'), ('ch', 'CHE-123.456.788 TVA', 'CH'), ('uk', 'GB123456782', 'GB'),
            ('no', 'NO123456785', 'NO'), ('de', '12/345/67890', 'DE'),
        )
        for country, vat, code in cases:
            with self.subTest(vat):
                partner = self.new_partner(country=country, name="World")
                self.env.cr.execute("UPDATE res_partner SET vat = %s WHERE id = %s", [vat, partner.id])
                self.env.invalidate_all()
                self.assertEqual(self.identity(partner), {'KodKraju': code, 'NrID': vat, 'Nazwa': "World"})

    def test_foreign_company_without_number(self):
        partner = self.new_partner(country='us', name="US Inc.")
        self.assertEqual(self.identity(partner), {'BrakID': '1', 'Nazwa': "US Inc."})

    def test_foreign_company_registered_in_poland(self):
        partner = self.new_partner(country='lu', name="LU Sarl", city="Luxembourg")
        self.env.cr.execute("UPDATE res_partner SET vat = 'PL5261040828' WHERE id = %s", [partner.id])
        self.env.invalidate_all()
        self.assertEqual(self.identity(partner), {'NIP': '5261040828', 'Nazwa': "LU Sarl"})
        root = self.render(self.new_invoice(partner_id=partner.id))
        self.assertEqual(self.one(root, 'Podmiot2/Adres/KodKraju'), 'LU')

    def test_faults_of_the_buyer(self):
        cases = (
            ({'vat': 'PL5261040829'}, 'nip-checksum'), ({'vat': 'PL52610408'}, 'nip-format'),
            ({'vat': '44051401359'}, 'nip-format'), ({'country_id': None}, 'value-missing'),
            ({'street': None, 'city': None}, 'buyer-address-missing'), ({'name': '\x01x'}, 'character-forbidden'),
            ({'name': 'x' * 513}, 'text-too-long'), ({'street': 'ul. \x7f'}, 'character-forbidden'),
        )
        for values, code in cases:
            with self.subTest(values):
                partner = self.new_partner(vat='5261040828')
                move = self.new_invoice(partner_id=partner.id)
                for field, value in values.items():
                    self.env.cr.execute(f"UPDATE res_partner SET {field} = %s WHERE id = %s", [value, partner.id])
                self.env.invalidate_all()
                finding = self.refused(move, code)
                self.assertEqual((finding['res_model'], finding['res_id']), ('res.partner', partner.id))

    def test_doubtful_european_number_is_a_warning(self):
        partner = self.new_partner(country='de')
        move = self.new_invoice(partner_id=partner.id)
        self.env.cr.execute("UPDATE res_partner SET vat = 'DE123456789' WHERE id = %s", [partner.id])
        self.env.invalidate_all()
        self.assertIn("VIES", self.warned(move, 'eu-vat-doubtful')['message'])

    def test_contact_of_a_company(self):
        company = self.new_partner(name="Firma", vat='5261040828', email="firma@example.com")
        person = self.env['res.partner'].create({
            'name': "Ewa", 'parent_id': company.id, 'type': 'invoice', 'street': "inna 1", 'city': "Łódź",
            'email': "ewa@example.com, biuro@example.com", 'phone': "+48 (42) 123-45-67 wewn. 12"})
        root = self.render(self.new_invoice(partner_id=person.id))
        self.assertEqual(self.one(root, f'{BUYER}/Nazwa'), "Firma")
        self.assertEqual(self.one(root, f'{BUYER}/NIP'), '5261040828')
        self.assertEqual(self.one(root, 'Podmiot2/Adres/AdresL1'), "ul. Krótka 3")
        self.assertEqual(
            self.all(root, 'Podmiot2/DaneKontaktowe/Email'), ["ewa@example.com", "biuro@example.com"])
        self.assertEqual(self.all(root, 'Podmiot2/DaneKontaktowe/Telefon'), [], "19 characters don't fit")
        person.phone = "+48 (42) 123-45-67"
        root = self.render(self.new_invoice(partner_id=person.id))
        self.assertEqual(self.all(root, 'Podmiot2/DaneKontaktowe/Telefon'), ["+48421234567"])

    def test_addresses(self):
        texas = self.env.ref('base.state_us_44')
        cases = (
            ({'street2': "m. 5"}, ['PL', "ul. Krótka 3 m. 5", "30-001 Kraków"]),
            ({'street': False, 'city': "Wólka 7"}, ['PL', "30-001 Wólka 7", None]),
            ({'zip': False, 'city': False}, ['PL', "ul. Krótka 3", None]),
            ({'country': 'us', 'state_id': texas.id, 'city': "Austin", 'zip': "73301"},
             ['US', "ul. Krótka 3", "73301 Austin, Texas"]),
        )
        for values, expected in cases:
            with self.subTest(values):
                partner = self.new_partner(is_company=False, **values)
                root = self.render(self.new_invoice(partner_id=partner.id))
                self.assertEqual([self.one(root, f'Podmiot2/Adres/{name}') for name in ADDRESS], expected)

    def test_subordinate_units_are_denied(self):
        root = self.render(self.new_invoice())
        self.assertEqual([self.one(root, 'Podmiot2/JST'), self.one(root, 'Podmiot2/GV')], ['2', '2'])

    def test_related_parties(self):
        partner = self.new_partner(vat='5261040828', l10n_pl_links_with_customer=True)
        self.assertEqual(self.one(self.render(self.new_invoice(partner_id=partner.id)), 'Fa/TP'), '1')
        self.assertIsNone(self.one(self.render(self.new_invoice()), 'Fa/TP'))

    def test_bank_account(self):
        root = self.render(self.new_invoice(partner_bank_id=self.bank_account.id))
        self.assertEqual(self.one(root, 'Fa/Platnosc/FormaPlatnosci'), '6')
        account = [self.one(root, f'Fa/Platnosc/RachunekBankowy/{name}') for name in ('NrRB', 'SWIFT', 'NazwaBanku')]
        self.assertEqual(account, ['PL61109010140000071219812874', 'WBKPPLPPXXX', "Bank Testowy"])

    def test_no_bank_account(self):
        root = self.render(self.new_invoice())
        self.assertIsNone(self.one(root, 'Fa/Platnosc/FormaPlatnosci'))
        self.assertIsNone(self.one(root, 'Fa/Platnosc/RachunekBankowy/NrRB'))

    def test_faults_of_the_account(self):
        cases = (
            ('61 1090 1014 0000 0712 1981 2875', 'account-checksum'), ('PL61109010140000071219812875', 'account-checksum'),
            ('12345', 'account-format'), ('KONTO/12345678901', None), ('61109010140000071219812874', None),
        )
        for number, code in cases:
            with self.subTest(number):
                move = self.new_invoice(partner_bank_id=self.bank_account.id)
                self.bank_account.acc_number = number
                if code:
                    finding = self.refused(move, code)
                    self.assertEqual(
                        (finding['res_model'], finding['res_id']), ('res.partner.bank', self.bank_account.id))
                else:
                    self.render(move)

    def test_bank_without_a_proper_code(self):
        self.bank_account.bank_id.bic = 'WBK'
        root = self.render(self.new_invoice(partner_bank_id=self.bank_account.id))
        self.assertIsNone(self.one(root, 'Fa/Platnosc/RachunekBankowy/SWIFT'))
        self.assertTrue(self.one(root, 'Fa/Platnosc/RachunekBankowy/NrRB'))
