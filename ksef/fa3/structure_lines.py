"""Which attribute is which element: annotations, lines and order. Part of :mod:`.structure`."""

from . import lexical, model
from .codes import GoodsCode, MarginKind, Procedure, TaxRate
from .nodes import Branch, Choice, Leaf, Record, Statement, Variant

_RATE = lexical.Code(TaxRate, 'code')
_GOODS = lexical.Code(GoodsCode)

_EXEMPTION = Record(model.Exemption, (
    Choice((
        Leaf('polish_act', 'P_19A', lexical.TEXT_256),
        Leaf('directive', 'P_19B', lexical.TEXT_256),
        Leaf('other_basis', 'P_19C', lexical.TEXT_256),
    ), required=True),
))
_LAND_VEHICLE = Record(model.LandVehicle, (
    Leaf('mileage', 'P_22B', lexical.TEXT_256, required=True),
    Choice((
        Leaf('vin', 'P_22B1', lexical.TEXT_256),
        Leaf('body_number', 'P_22B2', lexical.TEXT_256),
        Leaf('chassis_number', 'P_22B3', lexical.TEXT_256),
        Leaf('frame_number', 'P_22B4', lexical.TEXT_256),
    )),
    Leaf('kind', 'P_22BT', lexical.TEXT_256),
))
_VESSEL = Record(model.Vessel, (
    Leaf('hours', 'P_22C', lexical.TEXT_256, required=True),
    Leaf('hull_number', 'P_22C1', lexical.TEXT_256),
))
_AIRCRAFT = Record(model.Aircraft, (
    Leaf('hours', 'P_22D', lexical.TEXT_256, required=True),
    Leaf('factory_number', 'P_22D1', lexical.TEXT_256),
))
_NEW_VEHICLE = Record(model.NewVehicle, (
    Leaf('admitted', 'P_22A', lexical.DAY, required=True),
    Leaf('line_number', 'P_NrWierszaNST', lexical.ORDINAL, required=True),
    Leaf('make', 'P_22BMK', lexical.TEXT_256),
    Leaf('model', 'P_22BMD', lexical.TEXT_256),
    Leaf('colour', 'P_22BK', lexical.TEXT_256),
    Leaf('registration', 'P_22BNR', lexical.TEXT_256),
    Leaf('year', 'P_22BRP', lexical.TEXT_256),
    Variant('details', (_LAND_VEHICLE, _VESSEL, _AIRCRAFT)),
))
_NEW_TRANSPORT = Record(model.NewTransport, (
    Leaf('declaration_duty', 'P_42_5', lexical.YES_NO),
    Branch('vehicles', 'NowySrodekTransportu', _NEW_VEHICLE, required=True, limit=10000),
))
ANNOTATIONS = Record(model.Annotations, (
    Leaf('cash_method', 'P_16', lexical.YES_NO),
    Leaf('self_billing', 'P_17', lexical.YES_NO),
    Leaf('reverse_charge', 'P_18', lexical.YES_NO),
    Leaf('split_payment', 'P_18A', lexical.YES_NO),
    Statement('exemption', 'Zwolnienie', 'P_19', 'P_19N', _EXEMPTION),
    Statement('new_transport', 'NoweSrodkiTransportu', 'P_22', 'P_22N', _NEW_TRANSPORT),
    Leaf('triangular_second_taxpayer', 'P_23', lexical.YES_NO),
    Statement('margin', 'PMarzy', 'P_PMarzy', 'P_PMarzyN', MarginKind),
))
REMARK = Record(model.Remark, (
    Leaf('line_number', 'NrWiersza', lexical.ORDINAL),
    Leaf('key', 'Klucz', lexical.TEXT_256, required=True),
    Leaf('value', 'Wartosc', lexical.TEXT_256, required=True),
))
LINE = Record(model.Line, (
    Leaf('number', 'NrWierszaFa', lexical.ORDINAL, required=True),
    Leaf('uid', 'UU_ID', lexical.TEXT_50),
    Leaf('supply_date', 'P_6A', lexical.DAY),
    Leaf('name', 'P_7', lexical.TEXT_512),
    Leaf('index', 'Indeks', lexical.TEXT_50),
    Leaf('gtin', 'GTIN', lexical.TEXT_20),
    Leaf('pkwiu', 'PKWiU', lexical.TEXT_50),
    Leaf('cn', 'CN', lexical.TEXT_50),
    Leaf('pkob', 'PKOB', lexical.TEXT_50),
    Leaf('unit', 'P_8A', lexical.TEXT_256),
    Leaf('quantity', 'P_8B', lexical.QUANTITY),
    Leaf('unit_price', 'P_9A', lexical.PRICE),
    Leaf('gross_unit_price', 'P_9B', lexical.PRICE),
    Leaf('discount', 'P_10', lexical.PRICE),
    Leaf('net', 'P_11', lexical.AMOUNT),
    Leaf('gross', 'P_11A', lexical.AMOUNT),
    Leaf('tax', 'P_11Vat', lexical.AMOUNT),
    Leaf('rate', 'P_12', _RATE),
    Leaf('one_stop_shop_rate', 'P_12_XII', lexical.PERCENTAGE),
    Leaf('annex_15', 'P_12_Zal_15', lexical.MARK),
    Leaf('excise', 'KwotaAkcyzy', lexical.AMOUNT),
    Leaf('goods_code', 'GTU', _GOODS),
    Leaf('procedure', 'Procedura', lexical.Code(Procedure)),
    Leaf('exchange_rate', 'KursWaluty', lexical.QUANTITY),
    Leaf('before_correction', 'StanPrzed', lexical.MARK),
))
_ORDER_LINE = Record(model.OrderLine, (
    Leaf('number', 'NrWierszaZam', lexical.ORDINAL, required=True),
    Leaf('uid', 'UU_IDZ', lexical.TEXT_50),
    Leaf('name', 'P_7Z', lexical.TEXT_512),
    Leaf('index', 'IndeksZ', lexical.TEXT_50),
    Leaf('gtin', 'GTINZ', lexical.TEXT_20),
    Leaf('pkwiu', 'PKWiUZ', lexical.TEXT_50),
    Leaf('cn', 'CNZ', lexical.TEXT_50),
    Leaf('pkob', 'PKOBZ', lexical.TEXT_50),
    Leaf('unit', 'P_8AZ', lexical.TEXT_256),
    Leaf('quantity', 'P_8BZ', lexical.QUANTITY),
    Leaf('unit_price', 'P_9AZ', lexical.PRICE),
    Leaf('net', 'P_11NettoZ', lexical.AMOUNT),
    Leaf('tax', 'P_11VatZ', lexical.AMOUNT),
    Leaf('rate', 'P_12Z', _RATE),
    Leaf('one_stop_shop_rate', 'P_12Z_XII', lexical.PERCENTAGE),
    Leaf('annex_15', 'P_12Z_Zal_15', lexical.MARK),
    Leaf('goods_code', 'GTUZ', _GOODS),
    Leaf('procedure', 'ProceduraZ', lexical.Code(Procedure, excluded=(Procedure.CUSTOMS_42, Procedure.CUSTOMS_63))),
    Leaf('excise', 'KwotaAkcyzyZ', lexical.AMOUNT),
    Leaf('before_correction', 'StanPrzedZ', lexical.MARK),
))
ORDER = Record(model.Order, (
    Leaf('total', 'WartoscZamowienia', lexical.AMOUNT, required=True),
    Branch('lines', 'ZamowienieWiersz', _ORDER_LINE, required=True, limit=10000),
))
