"""Verifying an XML signature that somebody else made, and naming what is wrong with it.

A library answers yes or no; here a person must be told what to do. What KSeF may accept but this module cannot compute
(an unusual XPath) is :class:`UndecidedError`, never "invalid": KSeF has the last word.

Source: XML Signature 1.1 (W3C); the algorithms are those of "XAdES rules" in the reference of KSeF 2.0.
"""

import base64
import binascii
import copy
import hashlib
import re

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

DS = "http://www.w3.org/2000/09/xmldsig#"
_XML = "{http://www.w3.org/XML/1998/namespace}"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_MORE_2007 = "http://www.w3.org/2007/05/xmldsig-more#"
_MORE_2021 = "http://www.w3.org/2021/04/xmldsig-more#"
_ENC = "http://www.w3.org/2001/04/xmlenc#"
_ENVELOPED = DS + "enveloped-signature"
_BASE64 = DS + "base64"
_XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
_FILTER = "http://www.w3.org/2002/06/xmldsig-filter2"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_INCLUSIVE = ("http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/2006/12/xml-c14n11")

_DIGESTS = {
    _ENC + "sha256": "sha256", _MORE + "sha384": "sha384", _ENC + "sha512": "sha512",
    _MORE_2007 + "sha3-256": "sha3_256", _MORE_2007 + "sha3-384": "sha3_384", _MORE_2007 + "sha3-512": "sha3_512",
}
_HASHES = {
    "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512,
    "sha3-256": hashes.SHA3_256, "sha3-384": hashes.SHA3_384, "sha3-512": hashes.SHA3_512,
}
# URI -> (kind, hash); SHA-1 is left out on purpose: outside of TEST, KSeF refuses it
_METHODS = {
    **{f"{_MORE}rsa-{name}": ("rsa", name) for name in ("sha256", "sha384", "sha512")},
    **{f"{_MORE_2007}{name}-rsa-MGF1": ("pss", name) for name in _HASHES},
    **{f"{_MORE}ecdsa-{name}": ("ecdsa", name) for name in ("sha256", "sha384", "sha512")},
    **{f"{_MORE_2021}ecdsa-{name}": ("ecdsa", name) for name in ("sha3-256", "sha3-384", "sha3-512")},
}
_NOT_IN_SIGNATURE = re.compile(r"not\(ancestor-or-self::(?:[\w.-]+:)?Signature\)")
_TAKE_SIGNATURE_OUT = re.compile(r"(?:/descendant::|//|/\*/|here\(\)/ancestor::)(?:[\w.-]+:)?Signature(?:\[1\])?")
_ID_POINTER = re.compile(r"""#xpointer\(id\((?:'([^']+)'|"([^"]+)")\)\)""")
_MOST_REFERENCES = 20


class SignatureError(ValueError):
    """The signature is certainly not good; the class says in which way."""


class BrokenError(SignatureError):
    """The signature lacks a part, or a part cannot be read."""


class ChangedError(SignatureError):
    """What was signed is not what is there now."""


class ValueWrongError(SignatureError):
    """The signature's value does not fit what is signed and the certificate."""


class DerError(SignatureError):
    """An ECDSA value written in DER, where XML signatures have R and S side by side."""


class WeakError(SignatureError):
    """SHA-1, or a key too short."""


class UnsupportedError(SignatureError):
    """An algorithm that KSeF does not take."""


class DetachedError(SignatureError):
    """What is signed lies outside of the document."""


class AmbiguousError(SignatureError):
    """A reference does not name exactly one element."""


class UndecidedError(Exception):
    """This module cannot compute it; whether the signature is good is for KSeF to say."""


def ds(name):
    """Return the qualified name of an element of XML signatures."""
    return f"{{{DS}}}{name}"


def only(parent, name):
    """Return the one child of a name of XML signatures; raise BrokenError when there is not exactly one."""
    found = parent.findall(ds(name))
    if len(found) != 1:
        raise BrokenError(f"{name} is missing or there are several")
    return found[0]


def unbase64(text):
    """Return the bytes of Base64 with blanks and line breaks."""
    try:
        return base64.b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise BrokenError("a value is not Base64") from None


def digest(algorithm, data, takes_sha1=False):
    """Return the digest of bytes by the algorithm's URI; SHA-1 only where it proves nothing (naming a certificate)."""
    if algorithm == DS + "sha1":
        if takes_sha1:
            return hashlib.sha1(data, usedforsecurity=False).digest()
        raise WeakError("SHA-1")
    if algorithm not in _DIGESTS:
        raise UnsupportedError(algorithm or "no digest algorithm")
    return hashlib.new(_DIGESTS[algorithm], data).digest()


def verify_references(signature):
    """Check the digest of each reference of a ``ds:Signature`` element.

    Returns the elements covered; the tree's root stands for the whole document.

    :raise SignatureError: see its subclasses
    :raise UndecidedError: a reference can't be computed here
    """
    references = only(signature, "SignedInfo").findall(ds("Reference"))
    if not 0 < len(references) <= _MOST_REFERENCES:
        raise BrokenError("the number of references")
    return [_verify_reference(signature, reference) for reference in references]


def verify_value(signature, key):
    """Check the signature's value with a public key.

    :raise SignatureError: see its subclasses
    """
    info = only(signature, "SignedInfo")
    method = only(info, "CanonicalizationMethod")
    signed = _canonical(info, method.get("Algorithm"), _prefixes(method))
    algorithm = only(info, "SignatureMethod").get("Algorithm") or ""
    if algorithm.rpartition("#")[2] in ("rsa-sha1", "ecdsa-sha1", "dsa-sha1", "sha1-rsa-MGF1"):
        raise WeakError("SHA-1")
    if algorithm not in _METHODS:
        raise UnsupportedError(algorithm or "no signature algorithm")
    kind, name = _METHODS[algorithm]
    value = unbase64(only(signature, "SignatureValue").text)
    try:
        if kind == "ecdsa":
            _verify_ecdsa(key, value, signed, _HASHES[name]())
        else:
            _verify_rsa(key, value, signed, _HASHES[name](), kind)
    except InvalidSignature:
        raise ValueWrongError("the value") from None
    except UnsupportedAlgorithm:
        raise UndecidedError(algorithm) from None


def _verify_rsa(key, value, signed, algorithm, kind):
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueWrongError("the certificate has no RSA key")
    scheme = padding.PKCS1v15() if kind == "rsa" else padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO)
    key.verify(value, signed, scheme, algorithm)


def _verify_ecdsa(key, value, signed, algorithm):
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueWrongError("the certificate has no EC key")
    size = (key.curve.key_size + 7) // 8
    if len(value) == 2 * size:
        numbers = int.from_bytes(value[:size]), int.from_bytes(value[size:])
        key.verify(encode_dss_signature(*numbers), signed, ec.ECDSA(algorithm))
        return
    key.verify(value, signed, ec.ECDSA(algorithm))
    raise DerError("the value is DER")


def _verify_reference(signature, reference):
    """Check one reference and return the element that it covers."""
    element, keeps_comments = _target(signature, reference.get("URI"))
    method = only(reference, "DigestMethod").get("Algorithm")
    digest(method, b"")  # an algorithm that cannot pass is named before anything is computed
    expected = unbase64(only(reference, "DigestValue").text)
    if digest(method, _transformed(signature, reference, element, keeps_comments)) != expected:
        raise ChangedError("a digest")
    return element


def _target(signature, uri):
    """Return (element, whether comments count) that a reference's URI means."""
    root = signature.getroottree().getroot()
    if uri == "":
        return root, False
    if uri == "#xpointer(/)":
        return root, True
    if not uri or not uri.startswith("#"):
        raise DetachedError("a reference leads outside of the document")
    pointer = _ID_POINTER.fullmatch(uri)
    identifier = (pointer[1] or pointer[2]) if pointer else uri[1:]
    found = [item for item in root.iter(etree.Element) if identifier in (item.get("Id"), item.get("ID"), item.get("id"))]
    if len(found) != 1:
        raise AmbiguousError("a reference")
    return found[0], bool(pointer)


def _transformed(signature, reference, element, keeps_comments):
    """Return the bytes whose digest a reference states."""
    transforms = reference.findall(f"{ds('Transforms')}/{ds('Transform')}")
    tree = copy.deepcopy(signature.getroottree())
    node, own = _twin(tree, element), _twin(tree, signature)
    is_whole = element.getparent() is None
    for index, transform in enumerate(transforms):
        algorithm = transform.get("Algorithm") or ""
        is_last = index == len(transforms) - 1
        if algorithm == _ENVELOPED:
            _take_out(own)
        elif algorithm in (_XPATH, _FILTER):
            _filter(transform, algorithm, node)
        elif not is_last:
            raise UndecidedError("a chain of transforms")
        elif algorithm == _BASE64:
            return unbase64(node.xpath("string()"))
        else:
            algorithm = algorithm if keeps_comments else algorithm.removesuffix("WithComments")
            return _canonical(tree if is_whole else node, algorithm, _prefixes(transform))
    return _canonical(tree if is_whole else node, _INCLUSIVE[0], ())


def _filter(transform, algorithm, node):
    """Apply an XPath transform of the one meaning that KSeF allows: without the signature."""
    [expression, *others] = list(transform.iterchildren(etree.Element)) or [transform]
    text = "".join((expression.text or "").split())
    if algorithm == _XPATH:
        is_known = _NOT_IN_SIGNATURE.fullmatch(text)
    else:
        is_known = expression.get("Filter") == "subtract" and _TAKE_SIGNATURE_OUT.fullmatch(text)
    if others or not is_known:
        raise UndecidedError("an XPath")
    for found in list(node.iter(ds("Signature"))):
        _take_out(found)


def _canonical(node, algorithm, prefixes):
    """Return the canonical form of an element, as the apex of its subtree, or of a whole tree."""
    algorithm = algorithm or ""
    comments = algorithm.endswith("WithComments")
    plain = algorithm.removesuffix("WithComments").removesuffix("#")
    exclusive = plain == _EXCLUSIVE.removesuffix("#")
    if not exclusive and plain not in _INCLUSIVE:
        raise UnsupportedError(algorithm or "no canonicalisation")
    if etree.iselement(node) and node.getparent() is not None:
        # In place, lxml writes an element wrongly below an ancestor with another default namespace: so it goes alone.
        node = _alone(node, inherits=not exclusive, version_11=plain == _INCLUSIVE[1])
    try:
        return etree.tostring(
            node, method="c14n", exclusive=exclusive, with_comments=comments,
            inclusive_ns_prefixes=list(prefixes) if exclusive and prefixes else None)
    except etree.C14NError:
        raise BrokenError("it has no canonical form") from None  # a relative address of a namespace, for one


def _alone(node, inherits, version_11):
    """Return a copy of an element as a document of its own; inclusive methods let it inherit ``xml:`` attributes."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    alone = etree.fromstring(etree.tostring(node, with_tail=False), parser)
    if inherits:
        for ancestor in node.iterancestors():
            for name, value in ancestor.attrib.items():
                if name == f"{_XML}base":
                    raise UndecidedError("xml:base")
                if name.startswith(_XML) and name not in alone.attrib and not (version_11 and name == f"{_XML}id"):
                    alone.set(name, value)
    return alone


def _prefixes(element):
    found = element.find(f"{{{_EXCLUSIVE}}}InclusiveNamespaces")
    return () if found is None else (found.get("PrefixList") or "").split()


def _twin(tree, element):
    """Return the element of a copied tree that stands where ``element`` stands in its own."""
    steps = []
    while (parent := element.getparent()) is not None:
        steps.append(parent.index(element))
        element = parent
    twin = tree.getroot()
    for step in reversed(steps):
        twin = twin[step]
    return twin


def _take_out(element):
    """Remove an element and keep the text behind it."""
    parent = element.getparent()
    if parent is None:
        if element.getroottree().getroot() is element and element.tag == ds("Signature"):
            raise UndecidedError("a signature that takes itself out")
        return
    if element.tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + element.tail
        else:
            before.tail = (before.tail or "") + element.tail
    parent.remove(element)
