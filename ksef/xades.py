"""The signed login request: AuthTokenRequest, and its enveloped XAdES signature (baseline B).

Source: schema authv2 of KSeF (namespace ``…/auth/token/2.0``); "XAdES rules" of the reference; ETSI EN 319 132-1.
"""

import re
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.util import namespaces
from signxml.xades import XAdESDataObjectFormat, XAdESSigner

from . import safe_xml
from .errors import KsefConfigError

NAMESPACE = "http://ksef.mf.gov.pl/auth/token/2.0"
NAMESPACES = (NAMESPACE, "http://ksef.mf.gov.pl/auth/token/2.1")  # 2.1 differs in the patterns of addresses only
BY_SUBJECT = "certificateSubject"  # KSeF reads NIP or PESEL from the certificate
BY_FINGERPRINT = "certificateFingerprint"  # somebody granted permissions to this very certificate

CHALLENGE = re.compile(r"\d{8}-CR-[0-9A-F]{10}-[0-9A-F]{10}-[0-9A-F]{2}", re.ASCII)
_NIP = r"[1-9](?:\d[1-9]|[1-9]\d)\d{7}"
_CONTEXTS = {
    "Nip": re.compile(_NIP, re.ASCII),
    "InternalId": re.compile(_NIP + r"-\d{5}", re.ASCII),
    "NipVatUe": re.compile(_NIP + r"-[A-Z]{2}[0-9A-Z+*]{2,12}", re.ASCII),
    "PeppolId": re.compile(r"P[A-Z]{2}\d{6}", re.ASCII),
}
_POLICY = (("Ip4Address", "addresses"), ("Ip4Range", "ranges"), ("Ip4Mask", "masks"))
_CLOCK_AHEAD = timedelta(minutes=1)  # KSeF may refuse a signing time in its future


def auth_token_request(challenge, context, subject_type=BY_SUBJECT, policy=None):
    """Return the bytes of an AuthTokenRequest, to be signed as they are.

    :param challenge: :class:`~.types.Challenge` or its text
    :param context: :class:`~.types.Context` to log in to
    :param subject_type: ``certificateSubject`` or ``certificateFingerprint``
    :param policy: :class:`~.types.AllowedIps` from which alone the access token may be used, or None
    :raise KsefConfigError: one of them does not have the form that KSeF's schema asks for
    """
    text = getattr(challenge, "challenge", challenge)
    if not CHALLENGE.fullmatch(text):
        raise KsefConfigError("This is no challenge of KSeF.")
    if context.type not in _CONTEXTS or not _CONTEXTS[context.type].fullmatch(context.value):
        raise KsefConfigError(f"This is no identifier of kind {context.type} to log in to.")
    if subject_type not in (BY_SUBJECT, BY_FINGERPRINT):
        raise KsefConfigError("There is no such way to name the one who logs in.")
    root = etree.Element(_tag("AuthTokenRequest"), nsmap={None: NAMESPACE})
    etree.SubElement(root, _tag("Challenge")).text = text
    identifier = etree.SubElement(root, _tag("ContextIdentifier"))
    etree.SubElement(identifier, _tag(context.type)).text = context.value
    etree.SubElement(root, _tag("SubjectIdentifierType")).text = subject_type
    if policy:
        _add_policy(root, policy)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def sign(xml, pair, now=None):
    """Return the bytes of ``xml`` (an AuthTokenRequest) with an enveloped XAdES signature; send them unchanged.

    :param pair: :class:`~.certificates.KeyPair`
    :param now: time of signing, aware
    :raise KsefConfigError: it is no AuthTokenRequest
    """
    try:
        root = safe_xml.parse(xml)
    except ValueError as error:
        raise KsefConfigError(f"This cannot be signed: {error}.") from None
    if root.tag not in [f"{{{namespace}}}AuthTokenRequest" for namespace in NAMESPACES]:
        raise KsefConfigError("Only a login request (AuthTokenRequest) is signed.")
    is_rsa = isinstance(pair.private_key, rsa.RSAPrivateKey)
    # Inclusive canonicalisation: signxml writes no transform for SignedProperties, and that is what none means.
    signer = _Signer(
        _signing_time(pair.certificate, now),
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=SignatureMethod.RSA_SHA256 if is_rsa else SignatureMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_1,
        data_object_format=XAdESDataObjectFormat(Description="AuthTokenRequest", MimeType="text/xml"),
    )
    signed = signer.sign(root, key=pair.private_key, cert=pair.certificate_pem, always_add_key_value=False)
    return etree.tostring(signed, xml_declaration=True, encoding="UTF-8")


class _Signer(XAdESSigner):
    """A signer whose time of signing is given."""

    def __init__(self, signing_time, **options):
        super().__init__(**options)
        self._signing_time = signing_time

    def add_signing_time(self, signed_signature_properties, *_unused, **_unused_too):
        element = etree.SubElement(signed_signature_properties, f"{{{namespaces.xades}}}SigningTime")
        element.text = self._signing_time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _signing_time(certificate, now):
    """Return the time to state: a little before now, but not before the certificate was valid."""
    moment = (now or datetime.now(UTC)).astimezone(UTC) - _CLOCK_AHEAD
    return max(moment, certificate.not_valid_before_utc)


def _add_policy(root, policy):
    allowed = etree.SubElement(etree.SubElement(root, _tag("AuthorizationPolicy")), _tag("AllowedIps"))
    for element, attribute in _POLICY:
        for value in getattr(policy, attribute):
            etree.SubElement(allowed, _tag(element)).text = value


def _tag(name):
    return f"{{{NAMESPACE}}}{name}"
