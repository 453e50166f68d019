"""Who a certificate belongs to: the identifiers in its subject, and whether anybody vouches for it."""

import hashlib
import re

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

ORGANIZATION_IDENTIFIER = x509.ObjectIdentifier("2.5.4.97")
UNIQUE_IDENTIFIER = x509.ObjectIdentifier("2.5.4.45")

# attribute of the enrolment data -> OID
NAMES = {
    "commonName": NameOID.COMMON_NAME, "countryName": NameOID.COUNTRY_NAME, "givenName": NameOID.GIVEN_NAME,
    "surname": NameOID.SURNAME, "serialNumber": NameOID.SERIAL_NUMBER, "uniqueIdentifier": UNIQUE_IDENTIFIER,
    "organizationName": NameOID.ORGANIZATION_NAME, "organizationIdentifier": ORGANIZATION_IDENTIFIER,
}
_PERSON = ("givenName", "surname", "serialNumber", "commonName", "countryName")
_SEAL = ("organizationName", "organizationIdentifier", "commonName", "countryName")
_PESEL = re.compile(r"(PNOPL|PESEL).*?(\d{11})", re.ASCII)
_NIP = re.compile(r"(TINPL|NIP).*?(\d{10})", re.ASCII)
_VAT = re.compile(r"(VATPL).*?(\d{10})", re.ASCII)
_PEPPOL = re.compile(r"P[A-Z]{2}[0-9]{6}", re.ASCII)


class NotIdentified(ValueError):
    """The subject of the certificate does not say who it is in an accepted way."""


def attributes(name):
    """The known attributes of a distinguished name; the last one of several wins."""
    return {key: attribute.value if isinstance(attribute.value, str) else attribute.value.hex()
            for key, oid in NAMES.items() for attribute in name.get_attributes_for_oid(oid)}


def fingerprint(der):
    """SHA-256 of a certificate as KSeF writes it: 64 upper-case hex digits."""
    return hashlib.sha256(der).hexdigest().upper()


def identify(certificate, strict):
    """(method code, subject type, subject value) of a qualified (or self-signed) certificate; raises NotIdentified.

    ``strict`` asks for all attributes that a qualified certificate has; TEST is content with the identifier.
    """
    found = attributes(certificate.subject)
    if _PEPPOL.fullmatch(found.get("commonName", "")):
        return "xades.peppol", "PeppolId", found["commonName"]
    if "givenName" in found or "surname" in found or "organizationIdentifier" not in found:
        _require(found, _PERSON if strict else ("serialNumber",))
        return _identify_person(found)
    _require(found, _SEAL if strict else ("organizationIdentifier",))
    match = _VAT.search(found["organizationIdentifier"])
    if not match:
        raise NotIdentified("organizationIdentifier nie zawiera numeru VATPL.")
    return "xades.qualified-seal", "Nip", match.group(2)


def _identify_person(found):
    if match := _PESEL.search(found["serialNumber"]):
        return "xades.qualified-signature", "Pesel", match.group(2)
    if match := _NIP.search(found["serialNumber"]):
        return "xades.qualified-signature", "Nip", match.group(2)
    raise NotIdentified("serialNumber nie zawiera numeru PESEL ani NIP.")


def _require(found, names):
    missing = [name for name in names if not found.get(name)]
    if missing:
        raise NotIdentified(f"Brak atrybutów podmiotu certyfikatu: {', '.join(missing)}.")


def issued_by(certificate, issuer):
    """Did the holder of ``issuer`` sign this certificate?"""
    if certificate.issuer != issuer.subject:
        return False
    key = issuer.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(certificate.signature, certificate.tbs_certificate_bytes,
                       ec.ECDSA(certificate.signature_hash_algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(),
                       certificate.signature_hash_algorithm)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
