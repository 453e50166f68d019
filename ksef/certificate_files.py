"""Files that people hold certificates and keys in: PEM, DER, PKCS#8, PKCS#7, PKCS#12, with what editors do to them."""

import base64
import binascii
import re
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    pkcs7,
    pkcs12,
)

from .certificate_info import CertificateFault, CertificateProblem
from .crypto import CERTIFICATE_ERRORS

MAX_BYTES = 256 * 1024
_MOST_BLOCKS = 50
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)-----END \1-----", re.DOTALL)
_BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{60,}={0,2}")
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")
_REQUESTS = (b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST")
_MOST_ROUNDS = 5_000_000
# the object identifiers of PBKDF2 and of the PKCS#12 ways to encrypt, then a sequence that begins with the salt
_SALT = re.compile(
    rb"(?:\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c|\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01.)\x30."
    rb"(?:\x04\x08.{8}|\x04\x10.{16}|\x04\x14.{20}|\x04\x20.{32}|\x04\x40.{64})", re.DOTALL)


@dataclass
class Parts:
    """What several files hold together; equal certificates and keys count once."""

    certificates: list = field(default_factory=list)
    keys: list = field(default_factory=list)
    has_request: bool = False
    has_public_key: bool = False

    def add_certificates(self, certificates):
        """Add certificates that are not there yet."""
        self.certificates += [found for found in certificates if found not in self.certificates]

    def add_key(self, key):
        """Add a private key that is not there yet."""
        if all(key.public_key() != known.public_key() for known in self.keys):
            self.keys.append(key)


def read_parts(files, password):
    """Return the :class:`Parts` of some files (bytes).

    :param password: text or None, for whatever is encrypted in them
    :raise CertificateProblem: a file is too large, of another kind, damaged, or the password does not open it
    """
    parts = Parts()
    for content in files:
        if len(content) > MAX_BYTES:
            raise CertificateProblem(
                CertificateFault.TOO_LARGE, f"The file is larger than {MAX_BYTES // 1024} kB; it is no certificate or key.")
        if not content.strip():
            raise CertificateProblem(CertificateFault.EMPTY, "The file is empty.")
        _read_file(parts, content, password)
    return parts


def _read_file(parts, content, password):
    text = _as_text(content)
    if b"-----BEGIN " in text:
        blocks = _BLOCK.findall(text)[:_MOST_BLOCKS]
        if not blocks:
            raise _damaged()
        for label, body in blocks:
            _read_block(parts, label, body, password)
    elif content[:1] == b"\x30":
        _read_der(parts, content, password)
    elif _BASE64.fullmatch(joined := b"".join(text.split())):  # the inside of a PEM file, without its first and last line
        _read_der(parts, _unbase64(joined), password)
    else:
        what = "It is a PDF document." if content.lstrip()[:5] == b"%PDF-" else ""
        raise CertificateProblem(
            CertificateFault.NOT_A_CERTIFICATE, f"The file is neither a certificate nor a key. {what}".strip())


def _as_text(content):
    """Return the bytes of a text file in ASCII or UTF-8, without a byte order mark."""
    for mark, encoding in _BOMS.items():
        if content.startswith(mark):
            return content[len(mark):].decode(encoding, "replace").encode("utf-8", "replace")
    return content


def _read_block(parts, label, body, password):
    """Read one block of a PEM file: ``label`` stands between its dashes, ``body`` between its lines."""
    if label in _CERTIFICATES:
        parts.add_certificates([_load(x509.load_der_x509_certificate, _unbase64(body))])
    elif label in _REQUESTS:
        parts.has_request = True
    elif label.endswith(b"PRIVATE KEY"):
        if label == b"OPENSSH PRIVATE KEY":
            raise CertificateProblem(CertificateFault.UNSUPPORTED_KEY, "This is a key for SSH, not for a certificate.")
        parts.add_key(_open(load_pem_private_key, _rebuild(label, body), password))
    elif label.endswith(b"PUBLIC KEY"):
        parts.has_public_key = True
    elif label in (b"PKCS7", b"CMS"):
        parts.add_certificates(_load(pkcs7.load_der_pkcs7_certificates, _unbase64(body)))
    # everything else, such as the parameters of a curve, says nothing that the key does not say


def _rebuild(label, body):
    """Return a PEM block with plain line ends and nothing before its lines; headers (DEK-Info) stay."""
    lines = [line.strip() for line in body.replace(b"\r", b"\n").split(b"\n")]
    headers = [line for line in lines if b":" in line]
    content = [line for line in lines if line and b":" not in line]
    middle = [*headers, b"", *content] if headers else content
    return b"\n".join([b"-----BEGIN " + label + b"-----", *middle, b"-----END " + label + b"-----", b""])


def _read_der(parts, content, password):
    """Read a binary file, whichever of the kinds it is."""
    for load in (x509.load_der_x509_certificate, x509.load_der_x509_csr, load_der_public_key):
        try:
            found = load(content)
        except CERTIFICATE_ERRORS:
            continue
        if isinstance(found, x509.Certificate):
            parts.add_certificates([found])
        elif isinstance(found, x509.CertificateSigningRequest):
            parts.has_request = True
        else:
            parts.has_public_key = True
        return
    if _is_pkcs12(content):
        key, certificate, others = _open(pkcs12.load_key_and_certificates, content, password)
        parts.add_certificates([item for item in (certificate, *others) if item])
        if key:
            parts.add_key(key)
    elif _is_pkcs7(content):
        parts.add_certificates(_load(pkcs7.load_der_pkcs7_certificates, content))
    else:
        parts.add_key(_open(load_der_private_key, content, password))


def _header(content):
    """Return (where the content of the outermost element of DER begins, where it ends by its own length)."""
    first = content[1] if len(content) > 1 else 0
    if first < 0x80:
        return 2, 2 + first
    size = first & 0x7F
    return 2 + size, 2 + size + int.from_bytes(content[2:2 + size])


def _is_pkcs12(content):
    """Whether DER begins as PFX does: version 3 and a ContentInfo (a PKCS#8 key has version 0)."""
    start, _end = _header(content)
    return content[start:].startswith(b"\x02\x01\x03\x30")


def _is_pkcs7(content):
    """Whether DER begins as signedData does."""
    start, _end = _header(content)
    return content[start:].startswith(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")


def _is_encrypted(content):
    """Whether PEM or DER that could not be opened is whole and encrypted, so that only the password can be wrong.

    An EncryptedPrivateKeyInfo begins with the algorithm's identifier, every other private key with a number.
    """
    if b"\nDEK-Info:" in content:
        return True
    content = _der_of(content)
    start, end = _header(content)
    begins_with_algorithm = content[start:start + 1] == b"\x30" and content[start + 2:start + 3] == b"\x06"
    return end == len(content) and (begins_with_algorithm or _is_pkcs12(content))


def _der_of(content):
    """Return the DER inside a PEM block (b'' when it has headers), or DER as it is."""
    if not content.startswith(b"-----BEGIN"):
        return content
    return b"" if b"\nDEK-Info:" in content else _unbase64(_BLOCK.search(content)[2])


def _most_rounds(content):
    """Return how many rounds of hashing a file wants for its password: millions of them would block this process."""
    stated = [
        int.from_bytes(content[match.end() + 2:match.end() + 2 + content[match.end() + 1]])
        for match in _SALT.finditer(content) if content[match.end():match.end() + 1] == b"\x02" and match.end() + 1 < len(content)]
    # a PKCS#12 file ends with the rounds of its check sum
    stated += [
        int.from_bytes(content[-size:]) for size in range(1, 9) if _is_pkcs12(content) and content[-size - 2:-size] == bytes((2, size))]
    return max(stated, default=0)


def _unbase64(body):
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _damaged() from None


def _load(load, content):
    """Return ``load(content)``; what it cannot read is damaged."""
    try:
        return load(content)
    except CERTIFICATE_ERRORS:
        raise _damaged() from None


def _open(load, content, password):
    """Return ``load(content, password)``, for what may be encrypted."""
    if _most_rounds(_der_of(content)) > _MOST_ROUNDS:
        raise _unsupported()
    for attempt in _passwords(password):
        try:
            return load(content, attempt)
        except UnsupportedAlgorithm:
            raise _unsupported() from None
        except CERTIFICATE_ERRORS:  # wrong, or given for a key that is not encrypted
            continue
    if not _is_encrypted(content):
        raise _damaged()
    if password:
        raise CertificateProblem(CertificateFault.PASSWORD_WRONG, "The password does not open the private key.")
    raise CertificateProblem(
        CertificateFault.PASSWORD_MISSING, "The private key is encrypted: its password is needed.")


def _passwords(password):
    """Yield what a typed password may mean: as it is, without the blanks that copying adds, and none at all."""
    typed = [password, password.strip()] if password else []
    yield from (text.encode() for text in dict.fromkeys(typed) if text)
    yield None


def _unsupported():
    return CertificateProblem(
        CertificateFault.UNSUPPORTED_ENCRYPTION, "The key, or its encryption, is of a kind that is not supported.")


def _damaged():
    return CertificateProblem(
        CertificateFault.DAMAGED, "The file begins like a certificate or a key, but it is damaged or cut off.")
