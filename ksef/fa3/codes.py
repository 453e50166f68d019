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
