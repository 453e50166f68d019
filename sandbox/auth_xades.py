"""Logging in with a signed document (POST /auth/xades-signature)."""

from pathlib import Path

from lxml import etree

from . import clock
from .auth import check_context
from .crypto import sha256
from .errors import ApiError
from .identity import NotIdentified, attributes, fingerprint, identify, issued_by
from .models import IP_PATTERN, NIP_PATTERN, VAT_UE
from .store import packed
from .xades import REQUESTS, parse, verify
from .xmlsig import canonical, tag

_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_POLICY = {"Ip4Address": "ip4Addresses", "Ip4Range": "ip4Ranges", "Ip4Mask": "ip4Masks"}


class AuthXades:
    """The room of signed login documents."""

    def __init__(self, app):
        self._app = app
        text = (Path(__file__).parent / "auth_request.xsd").read_text(encoding="utf-8")
        text = text.replace("@VAT@", VAT_UE).replace("@NIP@", NIP_PATTERN).replace("@IP@", IP_PATTERN)
        self._schema_text = text

    def _schema(self, namespace):
        """A schema of its own for each call: the error log belongs to one thread."""
        return etree.XMLSchema(etree.fromstring(self._schema_text.replace("@NAMESPACE@", namespace).encode()))

    def start(self, request):
        """POST /auth/xades-signature."""
        now = self._app.clock.now()
        settings = self._app.settings
        node, certificate, der = verify(parse(request.body), now, allow_sha1=settings.is_test)
        says = self._read(node)
        method, subject, serial, trouble = self._subject(certificate, der, says["subject_type"])
        if (subject[0] == "PeppolId") != (says["context"]["type"] == "PeppolId"):
            raise ApiError(21117, f"Podmiot {subject[0]} nie może działać w kontekście {says['context']['type']}.")
        if method != "xades.ksef-certificate":
            trouble = self._check_trust(certificate, request.values.get("verifyCertificateChain", False)) or trouble
        self._app.auth.use_challenge(says["challenge"])
        if trouble is None and not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            trouble = "Nieważny certyfikat"
        if trouble:
            code, details = 460, trouble
        else:
            if subject[0] == "PeppolId":
                self._register_provider(certificate, subject[1])
            code, details = self._app.auth.verdict(*subject, says["context"]["type"], says["context"]["value"])
        return self._app.auth.begin(
            says["context"], subject, method, code, details, policy=says["policy"],
            document_hash=sha256(request.body), certificate_serial=serial,
            subject=packed({**attributes(certificate.subject), "fingerprint": fingerprint(der)}))

    def _read(self, node):
        """The content of AuthTokenRequest; raises 21401 when it does not fit its schema."""
        clean = etree.fromstring(canonical(node, _EXCLUSIVE))
        for signature in clean.findall(tag("Signature")):
            clean.remove(signature)
        namespace = etree.QName(clean).namespace
        if namespace not in REQUESTS:
            raise ApiError(21401, f"Nieznana przestrzeń nazw {namespace}.")
        schema = self._schema(namespace)
        if not schema.validate(clean):
            raise ApiError(21401, *[entry.message for entry in schema.error_log][:5])

        def name(local):
            return f"{{{namespace}}}{local}"
        context = clean.find(name("ContextIdentifier"))[0]
        found = {"type": etree.QName(context).localname, "value": context.text.strip()}
        check_context(found["type"], found["value"])
        policy = {}
        for item in clean.iterfind(f"{name('AuthorizationPolicy')}/{name('AllowedIps')}/*"):
            policy.setdefault(_POLICY[etree.QName(item).localname], []).append(item.text.strip())
        return {"challenge": clean.findtext(name("Challenge")).strip(), "context": found, "policy": policy,
                "subject_type": clean.findtext(name("SubjectIdentifierType")).strip()}

    def _subject(self, certificate, der, subject_type):
        """(method code, (type, value), serial of a KSeF certificate, trouble for status 460)."""
        row = self._app.certificates.by_certificate(certificate, der)
        if row is not None:
            if row["type"] != "Authentication":
                raise ApiError(21115, "Certyfikat typu Offline nie służy do uwierzytelniania.")
            trouble = {"Revoked": "Certyfikat odwołany", "Expired": "Nieważny certyfikat",
                       "Blocked": "Certyfikat zawieszony"}.get(self._app.certificates.status_of(row))
            return "xades.ksef-certificate", (row["subject_type"], row["subject_value"]), row["serial"], trouble
        if subject_type == "certificateFingerprint":
            return "xades.qualified-signature", ("Fingerprint", fingerprint(der)), None, None
        try:
            method, kind, value = identify(certificate, strict=not self._app.settings.is_test)
        except NotIdentified as error:
            raise ApiError(21115, str(error)) from error
        return method, (kind, value), None, None

    def _check_trust(self, certificate, chain_wanted):
        """Outside TEST a certificate that no trusted authority of this environment issued is refused (21115).

        On TEST anything goes, unless the caller asks for the chain to be checked: then status 460.
        """
        if self._app.certificates.is_trusted(certificate):
            return None
        if not self._app.settings.is_test:
            raise ApiError(21115, "Certyfikat nie pochodzi od zaufanego wystawcy tego środowiska.")
        if not chain_wanted:
            return None
        return "Niezaufany łańcuch certyfikatów" if issued_by(certificate, certificate) else (
            "Błąd weryfikacji łańcucha certyfikatów")

    def _register_provider(self, certificate, identifier):
        """A Peppol provider appears in the system with its first login."""
        name = attributes(certificate.subject).get("organizationName", identifier)
        self._app.store.run("INSERT OR IGNORE INTO peppol (id, name, created) VALUES (?, ?, ?)", identifier, name[:256],
                            clock.text(self._app.clock.now()))
