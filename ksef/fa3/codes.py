"""Closed lists of the FA(3) schema (version 1-0E), with English names.

The values are the ones written to XML; the Polish meaning is the schema's own annotation.
"""

from decimal import Decimal
from enum import Enum


class InvoiceKind(Enum):
    """``RodzajFaktury``: what kind of document an invoice is."""

    VAT = 'VAT'  # faktura podstawowa
    CORRECTION = 'KOR'  # faktura korygująca
    ADVANCE = 'ZAL'  # faktura zaliczkowa
    SETTLEMENT = 'ROZ'  # faktura rozliczeniowa, art. 106f ust. 3
    SIMPLIFIED = 'UPR'  # faktura uproszczona, art. 106e ust. 5 pkt 3
    ADVANCE_CORRECTION = 'KOR_ZAL'
    SETTLEMENT_CORRECTION = 'KOR_ROZ'

    @property
    def is_correction(self) -> bool:
        """Whether it corrects another invoice, so that its sums are differences."""
        return self.value.startswith('KOR')

    @property
    def is_advance(self) -> bool:
        """Whether it documents a payment for an order, or corrects that."""
        return self.value.endswith('ZAL')

    @property
    def is_settlement(self) -> bool:
        """Whether its lines are a whole order of which advances are taken off, or it corrects that."""
        return self.value.endswith('ROZ')


class TaxGroup(Enum):
    """The sums of an invoice header: elements of the net value, of the tax and of the tax in PLN.

    The order is the order of the schema. ``None`` means that the schema has no such element.
    """

    STANDARD = ('P_13_1', 'P_14_1', 'P_14_1W')  # stawka podstawowa: 23 %, 22 %
    REDUCED_FIRST = ('P_13_2', 'P_14_2', 'P_14_2W')  # stawka obniżona pierwsza: 8 %, 7 %
    REDUCED_SECOND = ('P_13_3', 'P_14_3', 'P_14_3W')  # stawka obniżona druga: 5 %
    TAXI_LUMP_SUM = ('P_13_4', 'P_14_4', 'P_14_4W')  # ryczałt dla taksówek osobowych: 4 %, 3 %
    ONE_STOP_SHOP = ('P_13_5', 'P_14_5', None)  # procedura szczególna, dział XII rozdział 6a
    ZERO_DOMESTIC = ('P_13_6_1', None, None)  # 0 % w kraju
    ZERO_INTRA_EU = ('P_13_6_2', None, None)  # 0 %, wewnątrzwspólnotowa dostawa towarów
    ZERO_EXPORT = ('P_13_6_3', None, None)  # 0 %, eksport
    EXEMPT = ('P_13_7', None, None)  # zwolnione
    OUTSIDE_POLAND = ('P_13_8', None, None)  # poza terytorium kraju
    SERVICES_ART_100 = ('P_13_9', None, None)  # usługi z art. 100 ust. 1 pkt 4
    REVERSE_CHARGE = ('P_13_10', None, None)  # odwrotne obciążenie w kraju
    MARGIN = ('P_13_11', None, None)  # procedura marży

    @property
    def net_element(self) -> str:
        """Name of the element with the sum of net values."""
        return self.value[0]

    @property
    def tax_element(self) -> str | None:
        """Name of the element with the sum of the tax, if this group has tax."""
        return self.value[1]

    @property
    def tax_in_pln_element(self) -> str | None:
        """Name of the element with the tax in PLN on an invoice in another currency."""
        return self.value[2]


class TaxRate(Enum):
    """``P_12``: the rate of a line (value in XML, group of sums, percentage of tax)."""

    VAT_23 = ('23', TaxGroup.STANDARD, Decimal(23))
    VAT_22 = ('22', TaxGroup.STANDARD, Decimal(22))
    VAT_8 = ('8', TaxGroup.REDUCED_FIRST, Decimal(8))
    VAT_7 = ('7', TaxGroup.REDUCED_FIRST, Decimal(7))
    VAT_5 = ('5', TaxGroup.REDUCED_SECOND, Decimal(5))
    TAXI_4 = ('4', TaxGroup.TAXI_LUMP_SUM, Decimal(4))
    TAXI_3 = ('3', TaxGroup.TAXI_LUMP_SUM, Decimal(3))
    ZERO_DOMESTIC = ('0 KR', TaxGroup.ZERO_DOMESTIC, Decimal(0))
    ZERO_INTRA_EU = ('0 WDT', TaxGroup.ZERO_INTRA_EU, Decimal(0))
    ZERO_EXPORT = ('0 EX', TaxGroup.ZERO_EXPORT, Decimal(0))
    EXEMPT = ('zw', TaxGroup.EXEMPT, Decimal(0))
    REVERSE_CHARGE = ('oo', TaxGroup.REVERSE_CHARGE, Decimal(0))
    OUTSIDE_POLAND = ('np I', TaxGroup.OUTSIDE_POLAND, Decimal(0))
    SERVICES_ART_100 = ('np II', TaxGroup.SERVICES_ART_100, Decimal(0))

    def __init__(self, code: str, group: TaxGroup, percent: Decimal):
        self.code = code
        self.group = group
        self.percent = percent


class PaymentForm(Enum):
    """``FormaPlatnosci``."""

    CASH = '1'
    CARD = '2'
    VOUCHER = '3'
    CHEQUE = '4'
    CREDIT = '5'
    TRANSFER = '6'
    MOBILE = '7'


class GoodsCode(Enum):
    """``GTU``: groups of goods and services marked in the records of sales."""

    GTU_01 = 'GTU_01'
    GTU_02 = 'GTU_02'
    GTU_03 = 'GTU_03'
    GTU_04 = 'GTU_04'
    GTU_05 = 'GTU_05'
    GTU_06 = 'GTU_06'
    GTU_07 = 'GTU_07'
    GTU_08 = 'GTU_08'
    GTU_09 = 'GTU_09'
    GTU_10 = 'GTU_10'
    GTU_11 = 'GTU_11'
    GTU_12 = 'GTU_12'
    GTU_13 = 'GTU_13'


class Procedure(Enum):
    """``Procedura``: procedure of a line."""

    DISTANCE_SALE = 'WSTO_EE'
    ELECTRONIC_INTERFACE = 'IED'
    TRIANGULAR = 'TT_D'
    CUSTOMS_42 = 'I_42'
    CUSTOMS_63 = 'I_63'
    VOUCHER_SINGLE = 'B_SPV'
    VOUCHER_SINGLE_DELIVERY = 'B_SPV_DOSTAWA'
    VOUCHER_MULTI_COMMISSION = 'B_MPV_PROWIZJA'


class TaxpayerStatus(Enum):
    """``StatusInfoPodatnika``: state of the seller."""

    LIQUIDATION = '1'
    RESTRUCTURING = '2'
    BANKRUPTCY = '3'
    INHERITANCE = '4'


class CorrectionEffect(Enum):
    """``TypKorekty``: the date at which a correction counts in the records of VAT."""

    ORIGINAL_DATE = '1'  # w dacie ujęcia faktury pierwotnej
    CORRECTION_DATE = '2'  # w dacie wystawienia faktury korygującej
    OTHER_DATE = '3'  # w dacie innej, także różnej dla różnych pozycji


class MarginKind(Enum):
    """``PMarzy``: the margin scheme; the value is the element that states it."""

    TOURISM = 'P_PMarzy_2'  # usługi turystyki, art. 119
    SECOND_HAND = 'P_PMarzy_3_1'  # towary używane, art. 120
    ART = 'P_PMarzy_3_2'  # dzieła sztuki, art. 120
    COLLECTIBLES = 'P_PMarzy_3_3'  # przedmioty kolekcjonerskie i antyki, art. 120


class ThirdPartyRole(Enum):
    """``Rola``: role of a third party."""

    FACTOR = '1'  # faktor
    RECIPIENT = '2'  # odbiorca: jednostka wewnętrzna lub oddział nabywcy
    ORIGINAL_ENTITY = '3'  # podmiot pierwotny: przejęty lub przekształcony
    ADDITIONAL_BUYER = '4'  # dodatkowy nabywca
    ISSUER = '5'  # wystawca faktury w imieniu podatnika
    PAYER = '6'  # dokonujący płatności
    LOCAL_GOVERNMENT_ISSUER = '7'  # jednostka samorządu terytorialnego - wystawca
    LOCAL_GOVERNMENT_RECIPIENT = '8'  # jednostka samorządu terytorialnego - odbiorca
    VAT_GROUP_ISSUER = '9'  # członek grupy VAT - wystawca
    VAT_GROUP_RECIPIENT = '10'  # członek grupy VAT - odbiorca
    EMPLOYEE = '11'  # pracownik


class AuthorizedRole(Enum):
    """``RolaPU``: role of an authorised party."""

    ENFORCEMENT_AUTHORITY = '1'  # organ egzekucyjny, art. 106c pkt 1
    BAILIFF = '2'  # komornik sądowy, art. 106c pkt 2
    TAX_REPRESENTATIVE = '3'  # przedstawiciel podatkowy, art. 18a-18d


class InstalmentsExtent(Enum):
    """``ZnacznikZaplatyCzesciowej``: paid in part, or in whole by several payments."""

    PART = '1'
    WHOLE = '2'


class BankOwnAccount(Enum):
    """``RachunekWlasnyBanku``: what a bank's own account is for."""

    PURCHASED_CLAIMS = '1'  # rozliczenia z tytułu nabywanych wierzytelności
    COLLECTION = '2'  # pobranie należności i przekazanie jej dostawcy
    OWN_ECONOMY = '3'  # gospodarka własna


class TransportKind(Enum):
    """``RodzajTransportu`` (there is no 6)."""

    SEA = '1'
    RAIL = '2'
    ROAD = '3'
    AIR = '4'
    POST = '5'
    PIPELINE = '7'
    INLAND_WATERWAY = '8'


class Cargo(Enum):
    """``OpisLadunku``: in what the goods are carried."""

    CHURN = '1'  # bańka
    BARREL = '2'  # beczka
    CYLINDER = '3'  # butla
    CARTON = '4'  # karton
    CANISTER = '5'  # kanister
    CAGE = '6'  # klatka
    CONTAINER = '7'  # kontener
    BASKET = '8'  # kosz/koszyk
    PUNNET = '9'  # łubianka
    MULTIPACK = '10'  # opakowanie zbiorcze
    PARCEL = '11'  # paczka
    PACKAGE = '12'  # pakiet
    PALLET = '13'  # paleta
    RECEPTACLE = '14'  # pojemnik
    SOLID_BULK = '15'  # pojemnik do ładunków masowych stałych
    LIQUID_BULK = '16'  # pojemnik do ładunków masowych w postaci płynnej
    BOX = '17'  # pudełko
    TIN = '18'  # puszka
    CHEST = '19'  # skrzynia
    SACK = '20'  # worek


class ColumnType(Enum):
    """``Typ`` of a column in an attachment's table."""

    DATE = 'date'
    MOMENT = 'datetime'
    DECIMAL = 'dec'
    INTEGER = 'int'
    TIME = 'time'
    TEXT = 'txt'


# TKodyKrajowUE: prefixes of EU VAT numbers, with Greece as EL and Northern Ireland as XI.
_EU_PREFIXES = 'AT BE BG CY CZ DK EE FI FR DE EL HR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE XI'
EU_VAT_PREFIXES = frozenset(_EU_PREFIXES.split())

# TKodKraju: ISO 3166 codes and the Ministry's own XC (Ceuta), XL (Melilla), XK (Kosovo), XI (Northern Ireland).
_COUNTRIES = (
    'AD AE AF AG AI AL AM AN AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV '
    'BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET '
    'FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM '
    'IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD '
    'ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE '
    'PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST '
    'SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS '
    'XC XI XK XL YE YT ZA ZM ZW '
)
COUNTRIES = frozenset(_COUNTRIES.split())

# TKodWaluty: ISO 4217 codes and the Ministry's own (GGP, IMP, JEP ...).
_CURRENCIES = (
    'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF '
    'CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GGP GHS GIP '
    'GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS IMP INR IQD IRR ISK JEP JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD '
    'KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD '
    'OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLL SOS SRD SSP STN SVC SYP SZL '
    'THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VES VND VUV WST XAF XAG XAU XBA XBB XBC XBD '
    'XCD XCG XDR XOF XPD XPF XPT XSU XUA XXX YER ZAR ZMW ZWL '
)
CURRENCIES = frozenset(_CURRENCIES.split())
