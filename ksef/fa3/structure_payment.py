"""Which attribute is which element: settlement and payment. Part of :mod:`.structure`."""

from . import lexical, model
from .codes import BankOwnAccount, InstalmentsExtent, PaymentForm
from .nodes import Branch, Choice, Inline, Leaf, Marked, Record

_ITEM = Record(model.SettlementItem, (
    Leaf('amount', 'Kwota', lexical.AMOUNT, required=True),
    Leaf('reason', 'Powod', lexical.TEXT_256, required=True),
))
SETTLEMENT = Record(model.Settlement, (
    Branch('charges', 'Obciazenia', _ITEM, limit=100),
    Leaf('charges_total', 'SumaObciazen', lexical.AMOUNT),
    Branch('deductions', 'Odliczenia', _ITEM, limit=100),
    Leaf('deductions_total', 'SumaOdliczen', lexical.AMOUNT),
    Choice((
        Leaf('to_pay', 'DoZaplaty', lexical.AMOUNT),
        Leaf('to_settle', 'DoRozliczenia', lexical.AMOUNT),
    )),
))
_FORM = Choice((
    Leaf('form', 'FormaPlatnosci', lexical.Code(PaymentForm)),
    Marked('PlatnoscInna', Leaf('other_form', 'OpisPlatnosci', lexical.TEXT_256)),
))
_INSTALMENT = Record(model.Instalment, (
    Leaf('amount', 'KwotaZaplatyCzesciowej', lexical.AMOUNT, required=True),
    Leaf('paid_on', 'DataZaplatyCzesciowej', lexical.PAYMENT_DAY, required=True),
    _FORM,
))
_INSTALMENTS = Record(model.Instalments, (
    Leaf('extent', 'ZnacznikZaplatyCzesciowej', lexical.Code(InstalmentsExtent), required=True),
    Branch('payments', 'ZaplataCzesciowa', _INSTALMENT, required=True, limit=100),
))
_TERM = Record(model.PaymentTerm, (
    Leaf('due', 'Termin', lexical.PAYMENT_DAY),
    Branch('description', 'TerminOpis', Record(model.TermDescription, (
        Leaf('count', 'Ilosc', lexical.COUNT, required=True),
        Leaf('unit', 'Jednostka', lexical.TEXT_50, required=True),
        Leaf('event', 'ZdarzeniePoczatkowe', lexical.TEXT_256, required=True),
    ))),
))
_ACCOUNT = Record(model.BankAccount, (
    Leaf('number', 'NrRB', lexical.ACCOUNT, required=True),
    Leaf('swift', 'SWIFT', lexical.SWIFT),
    Leaf('own_account', 'RachunekWlasnyBanku', lexical.Code(BankOwnAccount)),
    Leaf('bank_name', 'NazwaBanku', lexical.TEXT_256),
    Leaf('description', 'OpisRachunku', lexical.TEXT_256),
))
PAYMENT = Record(model.Payment, (
    Choice((
        Marked('Zaplacono', Leaf('paid_on', 'DataZaplaty', lexical.PAYMENT_DAY)),
        Inline('instalments', _INSTALMENTS),
    )),
    Branch('terms', 'TerminPlatnosci', _TERM, limit=100),
    _FORM,
    Branch('accounts', 'RachunekBankowy', _ACCOUNT, limit=100),
    Branch('factor_accounts', 'RachunekBankowyFaktora', _ACCOUNT, limit=20),
    Branch('early_discount', 'Skonto', Record(model.EarlyDiscount, (
        Leaf('conditions', 'WarunkiSkonta', lexical.TEXT_256, required=True),
        Leaf('size', 'WysokoscSkonta', lexical.TEXT_256, required=True),
    ))),
    Leaf('link', 'LinkDoPlatnosci', lexical.PAYMENT_LINK),
    Leaf('ksef_payment_id', 'IPKSeF', lexical.PAYMENT_ID),
))
