"""Invoice files: hygiene of the bytes, well-formedness, and the schema (XSD) of their structure.

The schema is not part of this project: it is read from a path given at the start, or from an Odoo installation.
The base types that it imports are our own (``base_types.xsd``); the network is never asked.
"""

import os
import re
import threading
from pathlib import Path

from lxml import etree

BASE_TYPES = "http://crd.gov.pl/xml/schematy/dziedzinowe/mf/2022/01/05/eD/DefinicjeTypy/"
FA3_NAMESPACE = "http://crd.gov.pl/wzor/2025/06/25/13775/"

# (systemCode, schemaVersion, value) -> namespace of the document, allowed in a batch, allowed outside TEST
FORMS = {
    ("FA (2)", "1-0E", "FA"): ("http://crd.gov.pl/wzor/2023/06/29/12648/", True, False),
    ("FA (3)", "1-0E", "FA"): (FA3_NAMESPACE, True, True),
    ("PEF (3)", "2-1", "PEF"): ("urn:oasis:names:specification:ubl:schema:xsd:Invoice-2", False, True),
    ("PEF_KOR (3)", "2-1", "PEF"): ("urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2", False, True),
    ("FA_RR (1)", "1-1E", "FA_RR"): ("http://crd.gov.pl/wzor/2026/03/06/14189/", True, True),
}
# Structures whose contents the sandbox can read into metadata.
READABLE = {FA3_NAMESPACE}

COUNTRIES = (
    "AD AE AF AG AI AL AM AN AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR "
    "GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO "
    "JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR "
    "MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO "
    "RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV "
    "TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XC XI XK XL YE YT ZA ZM ZW"
)

# U+007F-0084, U+0086-009F, U+FDD0-FDEF and the last two code points of planes 1-16, as UTF-8 bytes.
# Every branch starts with a literal, so that the search skips other bytes fast.
_DISCOURAGED = re.compile(
    rb"\x7f|\xc2[\x80-\x84\x86-\x9f]|\xef\xb7[\x90-\xaf]"
    + b"".join(b"|" + bytes([lead]) + rb"[\x8f\x9f\xaf\xbf]\xbf[\xbe\xbf]" for lead in range(0xF0, 0xF5))
)
_REFERENCE = re.compile(rb"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")
_DECLARATION = re.compile(rb"<\?xml\s[^>]*?\?>")
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([A-Za-z0-9._\-]+)["']""")
_PROLOG = re.compile(rb"(?:\s+|<!--(?:[^-]|-(?!-))*-->|<\?(?!xml[\s?]).*?\?>)*", re.DOTALL)


class Unacceptable(ValueError):
    """The file is refused (invoice status 450); ``details`` are sentences."""

    def __init__(self, *details):
        super().__init__("; ".join(details))
        self.details = list(details)


class SchemaError(Exception):
    """The schema of invoices cannot be found or compiled."""


class Fa3:
    """The room of invoice files; compiled schemas are kept one set per thread (their error logs are not shared)."""

    def __init__(self, app):
        self._app = app
        self._local = threading.local()
        self._paths = {target_namespace(path): Path(path) for path in app.schemas}

    def namespace_of(self, form_code):
        """(namespace, allowed in a batch) of a form code, or None when the sandbox has no schema for it."""
        key = (form_code["systemCode"], form_code["schemaVersion"], form_code["value"])
        if key not in FORMS:
            return None
        namespace, batch, everywhere = FORMS[key]
        if namespace not in self._paths or namespace not in READABLE:
            return None
        return (namespace, batch) if everywhere or self._app.settings.is_test else None

    def _schema(self, namespace):
        schemas = self._local.__dict__.setdefault("schemas", {})
        if namespace not in schemas:
            schemas[namespace] = compile_schema(self._paths[namespace])
        return schemas[namespace]

    def parse(self, data, namespace):
        """The root element of a file that passes the hygiene rules and the schema; raises Unacceptable.

        ``error.root`` is the root when the file could be read although the schema refuses it.
        """
        root = parse(data)
        try:
            self._validate(root, namespace)
        except Unacceptable as error:
            error.root = root
            raise
        return root

    def _validate(self, root, namespace):
        found = etree.QName(root).namespace
        if found != namespace:
            raise Unacceptable(f"Przestrzeń nazw dokumentu ({found}) nie odpowiada zadeklarowanemu formCode.")
        schema = self._schema(namespace)
        if not schema.validate(root):
            raise Unacceptable(*[f"Wiersz {entry.line}: {entry.message}"[:500] for entry in schema.error_log][:10])


def parse(data):
    """Parse XML bytes under the file rules: UTF-8, no BOM, no DTD, no processing instructions, no odd characters."""
    check_bytes(data)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
                             huge_tree=False, remove_comments=False, collect_ids=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Unacceptable(f"Nieprawidłowy XML: {str(error)[:300]}") from error
    if root.getroottree().docinfo.doctype:
        raise Unacceptable("Nieprawidłowy XML: deklaracja DOCTYPE jest niedozwolona.")
    outside = [*root.itersiblings(preceding=True), *root.itersiblings()]
    if any(node.tag is etree.PI for node in outside) or next(root.iter(etree.PI), None) is not None:
        raise Unacceptable("Nieprawidłowy XML: instrukcje przetwarzania są niedozwolone.")
    return root


def check_bytes(data):
    """The rules on bytes and characters; raises Unacceptable."""
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise Unacceptable("Nieprawidłowe kodowanie: plik zaczyna się znacznikiem BOM.")
    declaration = _DECLARATION.match(data)
    if declaration:
        encoding = _ENCODING.search(declaration.group())
        if encoding and encoding.group(1).lower() != b"utf-8":
            raise Unacceptable("Nieprawidłowe kodowanie: prolog wskazuje kodowanie inne niż UTF-8.")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unacceptable("Nieprawidłowe kodowanie: plik nie jest w UTF-8.") from error
    if data[_PROLOG.match(data, declaration.end() if declaration else 0).end():][:9].upper() == b"<!DOCTYPE":
        raise Unacceptable("Nieprawidłowy XML: deklaracja DOCTYPE jest niedozwolona.")
    odd = _DISCOURAGED.search(data)
    code = ord(odd.group().decode()) if odd else _odd_reference(data)
    if code:
        raise Unacceptable(f"Nieprawidłowy XML: niedozwolony znak U+{code:04X}.")


def _odd_reference(data):
    for match in _REFERENCE.finditer(data) if b"&#" in data else ():
        code = int(match.group(1), 16) if match.group(1) else int(match.group(2))
        if code < 0x110000 and _DISCOURAGED.match(chr(code).encode("utf-8", "surrogatepass")):
            return code
    return None


class _Resolver(etree.Resolver):
    """Answers the imports of a schema: base types are ours, other files lie beside the schema, the rest is refused."""

    def __init__(self, folder):
        self._folder = folder

    def resolve(self, url, public_id, context):
        """See lxml."""
        name = url.replace("\\", "/").rpartition("/")[2]
        beside = self._folder / name
        if url.startswith(BASE_TYPES) or name.startswith("StrukturyDanych"):
            return self.resolve_string(base_types(), context)
        if name and beside.is_file():
            return self.resolve_string(beside.read_bytes(), context)
        raise SchemaError(f"the schema imports {name}, which does not lie beside it")


def base_types():
    """The text of ``base_types.xsd`` with the list of countries filled in."""
    text = (Path(__file__).parent / "base_types.xsd").read_text(encoding="utf-8")
    return text.replace("@COUNTRIES@", COUNTRIES.replace(" ", "|")).encode()


def compile_schema(path):
    """A compiled schema; raises SchemaError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    parser.resolvers.add(_Resolver(Path(path).parent))
    try:
        return etree.XMLSchema(etree.fromstring(Path(path).read_bytes(), parser))
    except (OSError, etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
        raise SchemaError(f"{path}: {error}") from error


def target_namespace(path):
    """The namespace that a schema file defines; raises SchemaError."""
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        return etree.fromstring(Path(path).read_bytes(), parser).get("targetNamespace")
    except (OSError, etree.XMLSyntaxError) as error:
        raise SchemaError(f"{path}: {error}") from error


def find_schema(environ=None):
    """The FA(3) schema inside the Odoo that ODOO_HOME names (a checkout or an unpacked package), or None."""
    home = (os.environ if environ is None else environ).get("ODOO_HOME")
    if not home:
        return None
    for folder in ("addons", "odoo/addons", "usr/lib/python3/dist-packages/odoo/addons", "../addons"):
        path = Path(home, folder, "l10n_pl_edi/data/fa3_schema.xsd")
        if path.is_file():
            return path
    return None
