"""Which attribute is which element: the parties of an invoice. Part of :mod:`.structure`."""

from . import lexical, model
from .codes import AuthorizedRole, TaxpayerStatus, ThirdPartyRole
from .nodes import Branch, Choice, Constant, Leaf, Marked, Record, Variant, Wrap

ADDRESS = Record(model.Address, (
    Leaf('country', 'KodKraju', lexical.COUNTRY, required=True),
    Leaf('line_1', 'AdresL1', lexical.TEXT_512, required=True),
    Leaf('line_2', 'AdresL2', lexical.TEXT_512),
    Leaf('location_number', 'GLN', lexical.TEXT_13),
))
_CONTACT = Record(model.Contact, (
    Leaf('email', 'Email', lexical.EMAIL),
    Leaf('phone', 'Telefon', lexical.PHONE),
))
_AUTHORIZED_CONTACT = Record(model.Contact, (
    Leaf('email', 'EmailPU', lexical.EMAIL),
    Leaf('phone', 'TelefonPU', lexical.PHONE),
))
_POLISH = Record(model.PolishTaxId, (Leaf('nip', 'NIP', lexical.NIP, required=True),))
_INTERNAL = Record(model.InternalId, (Leaf('number', 'IDWew', lexical.INTERNAL_ID, required=True),))
_EUROPEAN = Record(model.EuVatId, (
    Leaf('prefix', 'KodUE', lexical.EU_PREFIX, required=True),
    Leaf('number', 'NrVatUE', lexical.EU_VAT_NUMBER, required=True),
))
_FOREIGN = Record(model.OtherTaxId, (
    Leaf('country', 'KodKraju', lexical.COUNTRY),
    Leaf('number', 'NrID', lexical.TEXT_50, required=True),
))
_NONE = Record(model.NoTaxId, (Constant('BrakID', '1'),))
_NAME = Leaf('name', 'Nazwa', lexical.TEXT_512)

_TAXPAYER = Wrap('DaneIdentyfikacyjne', (
    Leaf('nip', 'NIP', lexical.NIP, required=True),
    Leaf('name', 'Nazwa', lexical.TEXT_512, required=True),
))
BUYER_IDENTITY = Wrap('DaneIdentyfikacyjne', (
    Variant('identifier', (_POLISH, _EUROPEAN, _FOREIGN, _NONE)), _NAME,
))
_THIRD_IDENTITY = Wrap('DaneIdentyfikacyjne', (
    Variant('identifier', (_POLISH, _INTERNAL, _EUROPEAN, _FOREIGN, _NONE)), _NAME,
))
_CORRESPONDENCE = Branch('correspondence_address', 'AdresKoresp', ADDRESS)
_CONTACTS = Branch('contacts', 'DaneKontaktowe', _CONTACT, limit=3)

SELLER = Record(model.Seller, (
    Leaf('eu_prefix', 'PrefiksPodatnika', lexical.SELLER_PREFIX),
    Leaf('eori', 'NrEORI', lexical.TEXT_256),
    _TAXPAYER,
    Branch('address', 'Adres', ADDRESS, required=True),
    _CORRESPONDENCE,
    _CONTACTS,
    Leaf('status', 'StatusInfoPodatnika', lexical.Code(TaxpayerStatus)),
))
BUYER = Record(model.Buyer, (
    Leaf('eori', 'NrEORI', lexical.TEXT_256),
    BUYER_IDENTITY,
    Branch('address', 'Adres', ADDRESS),
    _CORRESPONDENCE,
    _CONTACTS,
    Leaf('customer_number', 'NrKlienta', lexical.TEXT_256),
    Leaf('key', 'IDNabywcy', lexical.TEXT_32),
    Leaf('local_government_unit', 'JST', lexical.YES_NO),
    Leaf('vat_group_member', 'GV', lexical.YES_NO),
))
THIRD_PARTY = Record(model.ThirdParty, (
    Leaf('key', 'IDNabywcy', lexical.TEXT_32),
    Leaf('eori', 'NrEORI', lexical.TEXT_256),
    _THIRD_IDENTITY,
    Branch('address', 'Adres', ADDRESS),
    _CORRESPONDENCE,
    _CONTACTS,
    Choice((
        Leaf('role', 'Rola', lexical.Code(ThirdPartyRole)),
        Marked('RolaInna', Leaf('role_description', 'OpisRoli', lexical.TEXT_256)),
    ), required=True),
    Leaf('share', 'Udzial', lexical.PERCENTAGE),
    Leaf('customer_number', 'NrKlienta', lexical.TEXT_256),
))
AUTHORIZED_PARTY = Record(model.AuthorizedParty, (
    Leaf('eori', 'NrEORI', lexical.TEXT_256),
    _TAXPAYER,
    Branch('address', 'Adres', ADDRESS, required=True),
    _CORRESPONDENCE,
    Branch('contacts', 'DaneKontaktowe', _AUTHORIZED_CONTACT, limit=3),
    Leaf('role', 'RolaPU', lexical.Code(AuthorizedRole), required=True),
))
CORRECTED_SELLER = Record(model.CorrectedSeller, (
    Leaf('eu_prefix', 'PrefiksPodatnika', lexical.EU_PREFIX),
    _TAXPAYER,
    Branch('address', 'Adres', ADDRESS, required=True),
))
CORRECTED_BUYER = Record(model.CorrectedBuyer, (
    BUYER_IDENTITY,
    Branch('address', 'Adres', ADDRESS),
    Leaf('key', 'IDNabywcy', lexical.TEXT_32),
))
CARRIER = Record(model.Carrier, (
    BUYER_IDENTITY,
    Branch('address', 'AdresPrzewoznika', ADDRESS, required=True),
))
