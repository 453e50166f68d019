"""Statements that the law demands on an FA(3) invoice.

Conventions: see :mod:`.model`.
"""

from dataclasses import dataclass
from datetime import date

from .codes import MarginKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """``Zwolnienie``: why the sale is exempt, by exactly one of three kinds of law (1-256 characters)."""

    polish_act: str | None = None  # P_19A: przepis ustawy albo aktu wydanego na podstawie ustawy
    directive: str | None = None  # P_19B: przepis dyrektywy 2006/112/WE
    other_basis: str | None = None  # P_19C: inna podstawa prawna


@dataclass(frozen=True, slots=True, kw_only=True)
class LandVehicle:
    """``P_22B``: a new land vehicle; at most one of the four numbers."""

    mileage: str
    vin: str | None = None
    body_number: str | None = None
    chassis_number: str | None = None
    frame_number: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vessel:
    """``P_22C``: a new vessel."""

    hours: str
    hull_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aircraft:
    """``P_22D``: a new aircraft."""

    hours: str
    factory_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVehicle:
    """``NowySrodekTransportu``: one new means of transport, on line ``line_number`` of the invoice."""

    admitted: date
    line_number: int
    details: LandVehicle | Vessel | Aircraft
    make: str | None = None
    model: str | None = None
    colour: str | None = None
    registration: str | None = None
    year: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTransport:
    """``NoweSrodkiTransportu``: intra-EU supply of new means of transport.

    ``declaration_duty`` (P_42_5): the duty of art. 42 sec. 5 exists.
    """

    vehicles: tuple[NewVehicle, ...]
    declaration_duty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotations:
    """``Adnotacje``: statements that the law demands; what is not given is stated as "no"."""

    cash_method: bool = False  # P_16, metoda kasowa
    self_billing: bool = False  # P_17, samofakturowanie
    reverse_charge: bool = False  # P_18, odwrotne obciążenie
    split_payment: bool = False  # P_18A, mechanizm podzielonej płatności
    exemption: Exemption | None = None  # P_19
    new_transport: NewTransport | None = None  # P_22
    triangular_second_taxpayer: bool = False  # P_23, procedura uproszczona
    margin: MarginKind | None = None  # P_PMarzy
