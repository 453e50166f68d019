"""The official XSD of FA(3) as a validator; compiled once, used by every thread, never reaching for the network."""

import re
import threading
from pathlib import Path, PurePosixPath

from lxml import etree

from . import base_types
from .finding import ERROR, Finding
from .structure import PATHS

MAX_FINDINGS = 20


class SchemaError(ValueError):
    """A schema file can't be used: unreadable, incomplete, or not FA(3)."""


def parse(xml: bytes):
    """Return the root of an untrusted document: no DTD, no entities, no network.

    :raises lxml.etree.XMLSyntaxError: not well-formed.
    """
    # Parsers are not shared between threads.
    return etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))


class _Offline(etree.Resolver):
    """Answers every address of a schema from the files at hand, by their names; nothing else exists."""

    def __init__(self, files: dict[str, bytes]):
        super().__init__()
        self.files = files
        self.unknown = []

    def resolve(self, url, public_id, context):
        name = PurePosixPath(url).name
        if name in self.files:
            return self.resolve_string(self.files[name], context, base_url=url)
        if url.startswith(base_types.NAMESPACE):
            return self.resolve_string(base_types.document(), context, base_url=url)
        self.unknown.append(name)
        return self.resolve_string(b'<none/>', context, base_url=url)


class Schema:
    """A compiled schema.

    ``validate`` may be called from several threads; calls are serialised, because a libxml2 validator keeps its
    list of errors in itself.
    """

    def __init__(self, compiled: etree.XMLSchema):
        self._compiled = compiled
        self._lock = threading.Lock()

    @classmethod
    def load(cls, main: Path, others: tuple[Path, ...] = ()) -> 'Schema':
        """Compile a schema from files.

        :param main: the FA(3) schema; :param others: further files that it imports, found by their names. The base
            types which are not among them are supplied by this package.
        :raises SchemaError: the files can't be read, or are no complete schema.
        """
        try:
            files = {path.name: path.read_bytes() for path in others}
            content = main.read_bytes()
        except OSError as error:
            raise SchemaError(f"the schema can't be read: {error.strerror}") from error
        return cls.compile(content, files)

    @classmethod
    def compile(cls, content: bytes, files: dict[str, bytes] | None = None) -> 'Schema':
        """Compile a schema from bytes; ``files`` maps names of imported files to their bytes.

        :raises SchemaError: see :meth:`load`.
        """
        resolver = _Offline(files or {})
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        parser.resolvers.add(resolver)
        try:
            compiled = etree.XMLSchema(etree.fromstring(content, parser))
        except (etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
            missing = f" (not found: {', '.join(resolver.unknown)})" if resolver.unknown else ""
            raise SchemaError(f"the schema can't be compiled{missing}: {error}") from error
        return cls(compiled)

    def validate(self, xml: bytes) -> list[Finding]:
        """Return what is wrong with a document by the schema: errors with code ``'schema'``, at most 20.

        ``values``: ``element`` (name), ``line`` (in the file), ``reason`` (libxml2's sentence without namespaces).
        """
        try:
            root = parse(xml)
        except etree.XMLSyntaxError as error:
            values = {'element': '', 'line': error.lineno or 0, 'reason': error.msg or ''}
            return [Finding(ERROR, 'schema', '', values, f"not well-formed XML: {error.msg}")]
        with self._lock:
            if self._compiled.validate(root):
                return []
            entries = list(self._compiled.error_log)
        return _findings(root, entries)


def _findings(root, entries) -> list[Finding]:
    findings = {}
    for entry in entries:
        # A value that breaks a facet is reported twice: by facet, and as not being of its type.
        if entry.path not in findings and len(findings) < MAX_FINDINGS:
            findings[entry.path] = _finding(root, entry)
    return list(findings.values())


def _finding(root, entry) -> Finding:
    element = next(iter(root.xpath(entry.path)), None) if entry.path else None
    reason = re.sub(r'\{http[^}]*\}', '', entry.message)
    values = {'element': '' if element is None else _name(element), 'line': entry.line, 'reason': reason}
    return Finding(ERROR, 'schema', '' if element is None else attribute_path(element), values, reason)


def _name(element) -> str:
    return etree.QName(element).localname


def attribute_path(element) -> str:
    """Return the path in the model of an element of an FA(3) document, '' when it has none of its own."""
    chain = [element, *element.iterancestors()][-2::-1]  # from below the root down
    names = tuple(_name(node) for node in chain)
    while names and names not in PATHS:
        names = names[:-1]
    path = PATHS.get(names, '')
    for depth in range(len(names)):
        above = PATHS.get(names[:depth + 1], '')
        if above.endswith('[{}]'):  # the element of this depth repeats
            path = path.replace('[{}]', f'[{_position(chain[depth])}]', 1)
    return path


def _position(element) -> int:
    """Return how many elements of the same name stand before this one."""
    return sum(1 for _ in element.itersiblings(element.tag, preceding=True))
