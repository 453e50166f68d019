"""XML signatures, verified by hand: references, transforms, canonicalisation, digests, signature values.

Only what KSeF accepts is known here; anything else is a ``BadSignature`` (9105) with a sentence that says what.
"""

import base64
import binascii
import copy
import hashlib
import re
from urllib.parse import urljoin

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

DS = "http://www.w3.org/2000/09/xmldsig#"
XML = "http://www.w3.org/XML/1998/namespace"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_MORE_2007 = "http://www.w3.org/2007/05/xmldsig-more#"
_MORE_2021 = "http://www.w3.org/2021/04/xmldsig-more#"
_ENC = "http://www.w3.org/2001/04/xmlenc#"

# algorithm -> (exclusive, with comments, version 1.1)
CANONICALIZATIONS = {
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315": (False, False, False),
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments": (False, True, False),
    "http://www.w3.org/2006/12/xml-c14n11": (False, False, True),
    "http://www.w3.org/2006/12/xml-c14n11#WithComments": (False, True, True),
    "http://www.w3.org/2001/10/xml-exc-c14n#": (True, False, False),
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments": (True, True, False),
}
DIGESTS = {
    DS + "sha1": "sha1", _ENC + "sha256": "sha256", _MORE + "sha384": "sha384", _ENC + "sha512": "sha512",
    _MORE_2007 + "sha3-256": "sha3_256", _MORE_2007 + "sha3-384": "sha3_384", _MORE_2007 + "sha3-512": "sha3_512",
}
_HASHES = {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512,
           "sha3_256": hashes.SHA3_256, "sha3_384": hashes.SHA3_384, "sha3_512": hashes.SHA3_512}

# signature method -> (kind, hash)
METHODS = {
    DS + "rsa-sha1": ("rsa", "sha1"), _MORE + "rsa-sha256": ("rsa", "sha256"),
    _MORE + "rsa-sha384": ("rsa", "sha384"), _MORE + "rsa-sha512": ("rsa", "sha512"),
    **{f"{_MORE_2007}{name}-rsa-MGF1": ("pss", name.replace("-", "_"))
       for name in ("sha1", "sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512")},
    **{f"{_MORE}ecdsa-{name}": ("ecdsa", name) for name in ("sha1", "sha256", "sha384", "sha512")},
    **{f"{_MORE_2021}ecdsa-{name}": ("ecdsa", name.replace("-", "_")) for name in ("sha3-256", "sha3-384", "sha3-512")},
}
_ENVELOPED = DS + "enveloped-signature"
_XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
_FILTER2 = "http://www.w3.org/2002/06/xmldsig-filter2"
_BASE64 = DS + "base64"
_SUBTRACTED = re.compile(r"(/descendant::|//|/\*/|here\(\)/ancestor::)(?P<prefix>[\w.-]+):Signature(\[1\])?")
_NOT_IN_SIGNATURE = re.compile(r"not\(ancestor-or-self::(?P<prefix>[\w.-]+):Signature\)")
_POINTER = re.compile(r"""#(?:xpointer\(id\((?:'([^']+)'|"([^"]+)")\)\)|([^()]+))""")

_PLAIN = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


class BadSignature(ValueError):
    """The signature is not valid; the text says why."""


def tag(name):
    """Qualified name of an element of XML signatures."""
    return f"{{{DS}}}{name}"


def decode(text, what):
    """Bytes of Base64 with line breaks."""
    try:
        return base64.b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSignature(f"{what}: nieprawidłowe kodowanie Base64.") from error


def digest(algorithm, data, allow_sha1=True):
    """Digest of bytes by the URI of the algorithm."""
    name = DIGESTS.get(algorithm)
    if name is None or (name == "sha1" and not allow_sha1):
        raise BadSignature(f"Niewspierany algorytm skrótu {algorithm}.")
    return hashlib.new(name, data, usedforsecurity=False).digest()


def canonical(node, algorithm, prefixes=()):
    """Canonical bytes of an element (apex of its subtree) or of a whole tree."""
    if algorithm not in CANONICALIZATIONS:
        raise BadSignature(f"Niewspierany algorytm kanonikalizacji {algorithm}.")
    exclusive, comments, version_11 = CANONICALIZATIONS[algorithm]
    if etree.iselement(node) and node.getparent() is not None:
        # lxml canonicalises an element in place wrongly when an ancestor declares another default namespace
        alone = etree.fromstring(etree.tostring(node, with_tail=False), _PLAIN)
        if not exclusive:
            for name, value in _inherited(node, version_11).items():
                alone.set(name, value)
        node = alone
    try:
        return etree.tostring(node, method="c14n", exclusive=exclusive, with_comments=comments,
                              inclusive_ns_prefixes=list(prefixes) if exclusive and prefixes else None)
    except etree.C14NError as error:  # a relative namespace, which the standard forbids
        raise BadSignature("Dokument nie może zostać znormalizowany (kanonikalizacja).") from error


def _inherited(node, version_11):
    """The xml:* attributes that inclusive canonicalisation takes over from ancestors (1.1: not xml:id)."""
    found, bases = {}, []
    for ancestor in node.iterancestors():
        for name, value in ancestor.attrib.items():
            if not name.startswith(f"{{{XML}}}") or (version_11 and name == f"{{{XML}}}id"):
                continue
            if version_11 and name == f"{{{XML}}}base":
                bases.append(value)
            elif name not in node.attrib:
                found.setdefault(name, value)
    if bases and f"{{{XML}}}base" not in node.attrib:
        base = ""
        for value in reversed(bases):
            base = urljoin(base, value)
        found[f"{{{XML}}}base"] = base
    return found


class Signature:
    """One ds:Signature inside a parsed document."""

    def __init__(self, node, allow_sha1=True):
        self.node = node
        self.root = node.getroottree().getroot()
        self.allow_sha1 = allow_sha1
        self.info = self._only(node, "SignedInfo")

    @staticmethod
    def _only(parent, name):
        found = parent.findall(tag(name))
        if len(found) != 1:
            raise BadSignature(f"Podpis musi zawierać dokładnie jeden element {name}.")
        return found[0]

    def references(self):
        """The references, at least two and at most ten."""
        found = self.info.findall(tag("Reference"))
        if not 1 <= len(found) <= 10:
            raise BadSignature("Nieprawidłowa liczba referencji w podpisie.")
        return found

    def certificates(self):
        """DER of the certificates in KeyInfo."""
        nodes = self.node.findall(f"{tag('KeyInfo')}/{tag('X509Data')}/{tag('X509Certificate')}")
        return [decode(node.text, "X509Certificate") for node in nodes[:10]]

    # --- the value ---------------------------------------------------------------------------------------------

    def verify_value(self, key):
        """Check SignatureValue over SignedInfo with a public key."""
        method = self._only(self.info, "CanonicalizationMethod")
        data = canonical(self.info, method.get("Algorithm"), _prefixes(method))
        algorithm = self._only(self.info, "SignatureMethod").get("Algorithm")
        kind, name = METHODS.get(algorithm, (None, None))
        if kind is None:
            raise BadSignature(f"Niewspierany algorytm podpisu {algorithm}.")
        value = decode(self._only(self.node, "SignatureValue").text, "SignatureValue")
        try:
            if kind == "ecdsa":
                self._verify_ecdsa(key, value, data, _HASHES[name]())
            else:
                self._verify_rsa(key, value, data, _HASHES[name](), kind)
        except InvalidSignature as error:
            raise BadSignature("Wartość podpisu jest nieprawidłowa.") from error
        except UnsupportedAlgorithm as error:
            raise BadSignature("Niewspierany algorytm podpisu.") from error

    @staticmethod
    def _verify_rsa(key, value, data, hash_, kind):
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048:
            raise BadSignature("Wymagany klucz RSA o długości co najmniej 2048 bitów.")
        scheme = padding.PKCS1v15() if kind == "rsa" else padding.PSS(padding.MGF1(hash_), padding.PSS.AUTO)
        key.verify(value, data, scheme, hash_)

    @staticmethod
    def _verify_ecdsa(key, value, data, hash_):
        """The value is R and S, each as long as the field (not DER)."""
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.key_size < 256:
            raise BadSignature("Wymagany klucz EC na krzywej co najmniej 256-bitowej.")
        size = (key.curve.key_size + 7) // 8
        if len(value) != 2 * size:
            raise BadSignature("Wartość podpisu ECDSA musi mieć postać R||S (IEEE P1363).")
        r, s = int.from_bytes(value[:size]), int.from_bytes(value[size:])
        key.verify(encode_dss_signature(r, s), data, ec.ECDSA(hash_))

    # --- references --------------------------------------------------------------------------------------------

    def target(self, reference):
        """(element or None for the whole document, keep comments) that a reference points at."""
        uri = reference.get("URI")
        if uri == "":
            return None, False
        if uri == "#xpointer(/)":
            return None, True
        match = _POINTER.fullmatch(uri or "")
        if match is None:
            raise BadSignature("Podpis typu detached jest niedozwolony.")
        identifier = match.group(1) or match.group(2) or match.group(3)
        found = [node for node in self.root.iter(etree.Element)
                 if identifier in (node.get("Id"), node.get("ID"), node.get("id"))]
        if len(found) != 1:
            raise BadSignature("Referencja podpisu nie wskazuje dokładnie jednego elementu.")
        return found[0], match.group(3) is None

    def verify_reference(self, reference):
        """Check a reference's digest; returns what it covers: an element, or None for the whole document."""
        element, comments = self.target(reference)
        data = self._transformed(reference, element, comments)
        method = self._only(reference, "DigestMethod").get("Algorithm")
        expected = decode(self._only(reference, "DigestValue").text, "DigestValue")
        if digest(method, data, self.allow_sha1) != expected:
            raise BadSignature("Skrót podpisanej treści nie zgadza się z podpisem.")
        return element

    def _transformed(self, reference, element, comments):
        tree = copy.deepcopy(self.root.getroottree())
        node = tree if element is None else _same(tree, element)
        own = _same(tree, self.node)
        data = None
        transforms = reference.findall(f"{tag('Transforms')}/{tag('Transform')}")
        for transform in transforms[:10]:
            if data is not None:
                raise BadSignature("Nieobsługiwana kolejność przekształceń.")
            data = self._apply(transform, node, own, comments)
        if data is None:
            data = canonical(node, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315")
        return data

    def _apply(self, transform, node, own, comments):
        """Apply a transform in place; bytes when it ends the chain, else None."""
        algorithm = transform.get("Algorithm")
        if algorithm in CANONICALIZATIONS:
            if not comments:
                algorithm = algorithm.removesuffix("WithComments").rstrip("#") + (
                    "#" if "xml-exc-c14n" in algorithm else "")
            return canonical(node, algorithm, _prefixes(transform))
        if algorithm == _ENVELOPED:
            _remove(own)
        elif algorithm in (_XPATH, _FILTER2):
            self._check_filter(transform, algorithm)
            top = node.getroot() if hasattr(node, "getroot") else node
            for signature in list(top.iter(tag("Signature"))):
                _remove(signature)
        elif algorithm == _BASE64:
            if hasattr(node, "getroot"):
                node = node.getroot()
            return decode("".join(node.itertext()), "base64")
        else:
            raise BadSignature(f"Niedozwolone przekształcenie {algorithm}.")
        return None

    @staticmethod
    def _check_filter(transform, algorithm):
        """Only the expressions that take the signature out are allowed."""
        children = list(transform.iterchildren(etree.Element))
        if algorithm == _XPATH:
            fitting = [(child, _NOT_IN_SIGNATURE.fullmatch("".join((child.text or "").split()))) for child in children]
        else:
            fitting = [(child, child.get("Filter") == "subtract"
                        and _SUBTRACTED.fullmatch("".join((child.text or "").split()))) for child in children]
        if len(fitting) != 1 or not fitting[0][1]:
            raise BadSignature("Niedozwolone wyrażenie XPath w przekształceniu.")
        child, match = fitting[0]
        if child.nsmap.get(match.group("prefix")) != DS:
            raise BadSignature("Niedozwolone wyrażenie XPath w przekształceniu.")


def _same(tree, node):
    """The element of a copied tree that stands where ``node`` stands in its own."""
    steps = []
    while (parent := node.getparent()) is not None:
        steps.append(parent.index(node))
        node = parent
    node = tree.getroot()
    for step in reversed(steps):
        node = node[step]
    return node


def _prefixes(node):
    """PrefixList of exclusive canonicalisation."""
    found = node.find("{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces")
    return (found.get("PrefixList") or "").split() if found is not None else ()


def _remove(node):
    """Take an element out and leave the text after it."""
    parent = node.getparent()
    if parent is None:
        raise BadSignature("Podpis nie może usuwać całego dokumentu.")
    if node.tail:
        previous = node.getprevious()
        if previous is not None:
            previous.tail = (previous.tail or "") + node.tail
        else:
            parent.text = (parent.text or "") + node.tail
    parent.remove(node)
