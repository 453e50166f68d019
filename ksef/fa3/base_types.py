"""The base types that the FA(3) schema imports and that are not published beside it, written anew.

FA(3) takes its elementary types (a NIP, a date, a country ...) from a schema of another namespace, by an absolute
address. This module makes a schema document with just these types, so that FA(3) compiles without the network and
without the Ministry's files. Tests hold it against the official files where they are at hand.
"""

from .codes import COUNTRIES

NAMESPACE = 'http://crd.gov.pl/xml/schematy/dziedzinowe/mf/2022/01/05/eD/DefinicjeTypy/'

_TEMPLATE = '''<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}">
{types}
</xsd:schema>'''

# name: (XSD base type, facets in the order in which they are written)
_TYPES = {
    'TAdresEmail': ('token', (('minLength', '3'), ('maxLength', '255'), ('pattern', '.+@.+'))),
    'TData': ('date', (
        ('minInclusive', '1900-01-01'), ('maxInclusive', '2050-12-31'), ('pattern', r'\d{4}-\d{2}-\d{2}'),
    )),
    'TDataCzas': ('dateTime', (('whiteSpace', 'collapse'),)),
    'TKodKraju': ('normalizedString', tuple(('enumeration', code) for code in sorted(COUNTRIES))),
    'TNaturalny': ('nonNegativeInteger', (('whiteSpace', 'collapse'), ('totalDigits', '14'))),
    'TNrIdentyfikacjiPodatkowej': ('string', (('whiteSpace', 'replace'), ('minLength', '1'), ('maxLength', '50'))),
    'TNrKRS': ('string', (('pattern', r'\d{10}'),)),
    'TNrNIP': ('string', (('pattern', r'[1-9](\d[1-9]|[1-9]\d)\d{7}'),)),
    'TNrREGON': ('string', (('pattern', r'\d{9}'), ('pattern', r'\d{14}'))),
    'TTekstowy': ('string', (('minLength', '1'), ('maxLength', '3500'))),
    'TWybor1': ('byte', (('enumeration', '1'),)),
    'TWybor1_2': ('byte', (('enumeration', '1'), ('enumeration', '2'))),
}


def document() -> bytes:
    """Return the schema document with the base types."""
    types = '\n'.join(_simple_type(name, base, facets) for name, (base, facets) in _TYPES.items())
    return _TEMPLATE.format(namespace=NAMESPACE, types=types).encode()


def _simple_type(name: str, base: str, facets: tuple) -> str:
    lines = ''.join(f'<xsd:{facet} value="{value}"/>' for facet, value in facets)
    restriction = f'<xsd:restriction base="xsd:{base}">{lines}</xsd:restriction>'
    return f'<xsd:simpleType name="{name}">{restriction}</xsd:simpleType>'
