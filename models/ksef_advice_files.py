from odoo import api, models
from odoo.tools import format_date

from ..ksef.certificates import CertificateFault as Certificate
from ..ksef.signed_request import RequestFault as Request


class KsefAdvice(models.AbstractModel):
    """What to do about a file that cannot be used: one sentence for what is wrong, one for the remedy."""
    _name = 'ksef.advice'
    _description = "KSeF: what to do"

    @api.model
    def _explain_in_text(self, where, error, connection):
        """What to do about an answer of KSeF, as text of several lines with KSeF's own words at the end.

        :param where: ``ksef.coach.Where``
        :param error: a ``KsefError`` or a ``StatusInfo``
        """
        return self._advice_as_text(self._explain(where, error, connection._get_environment()))

    @api.model
    def _explain_certificate(self, problem):
        """The text for a ``ksef.certificates.CertificateProblem``."""
        until = problem.info and format_date(self.env, problem.info.valid_to.date())
        since = problem.info and format_date(self.env, problem.info.valid_from.date())
        texts = {
            Certificate.TOO_LARGE: self.env._(
                "The file is far too large for a certificate or a key. Choose the files that the taxpayer application gave you."),
            Certificate.EMPTY: self.env._("The file is empty. Download the certificate again and choose that file."),
            Certificate.NOT_A_CERTIFICATE: self.env._(
                "This file is neither a certificate nor a key. Choose the certificate (.crt, .pem, .cer) and its key (.key), or one "
                "file with both (.p12, .pfx)."),
            Certificate.DAMAGED: self.env._(
                "The file begins like a certificate or a key but cannot be read. Download it again and choose it unchanged."),
            Certificate.SIGNING_REQUEST: self.env._(
                "This is a request for a certificate (CSR), not the certificate itself. Download the certificate in the taxpayer "
                "application."),
            Certificate.PUBLIC_KEY: self.env._(
                "This is the public key; the private key (.key) that was saved when the certificate was ordered is needed."),
            Certificate.NO_CERTIFICATE: self.env._(
                "There is no certificate in the files. Add the file .crt, .pem or .cer that the taxpayer application gave you."),
            Certificate.NO_KEY: self.env._(
                "There is no private key in the files. Add the file .key that was saved when the certificate was ordered. KSeF does "
                "not have it: without it, order a new certificate."),
            Certificate.SEVERAL_CERTIFICATES: self.env._("There are several certificates in the files. Choose one."),
            Certificate.SEVERAL_KEYS: self.env._("There are several private keys in the files. Choose the one of this certificate."),
            Certificate.PASSWORD_MISSING: self.env._(
                "The key is protected by a password. Enter in the field “Password of the key” the one that was chosen when the "
                "certificate was ordered."),
            Certificate.PASSWORD_WRONG: self.env._(
                "The password does not open the key. Enter in the field “Password of the key” the one that was chosen when the "
                "certificate was ordered; if it is lost, order a new certificate."),
            Certificate.UNSUPPORTED_ENCRYPTION: self.env._(
                "The key is protected in a way that this program does not know. Save it again with another program, protected with AES."),
            Certificate.UNSUPPORTED_KEY: self.env._(
                "The key is neither RSA nor EC, and KSeF takes no other kind. Order a new certificate."),
            Certificate.WEAK_KEY: self.env._("The key is too short for KSeF (RSA from 2048, EC from 256 bits). Order a new certificate."),
            Certificate.KEY_MISMATCH: self.env._(
                "The key belongs to another certificate. Choose the file .key that was saved together with this certificate."),
            Certificate.EXPIRED: self.env._(
                "The certificate ended on %(date)s. Get a new one in the taxpayer application.", date=until or ''),
            Certificate.NOT_YET_VALID: self.env._(
                "The certificate is valid only from %(date)s. Wait until then, or choose another one.", date=since or ''),
        }
        return texts[problem.fault]

    @api.model
    def _explain_signed_request(self, problem):
        """The text for a ``ksef.signed_request.RequestProblem`` (S0-09…S0-13, S0-20)."""
        again = self.env._("Click “Prepare a new file”, download it, sign it without changing it, and choose the signed file.")
        texts = {
            Request.TOO_LARGE: self.env._("The file is far too large. Choose the XML file that was downloaded here and then signed."),
            Request.EMPTY: self.env._("The file is empty. Choose the signed XML file."),
            Request.NOT_XML: self.env._("This is not an XML file. Choose the file that was downloaded here and then signed."),
            Request.OTHER_FORMAT: self.env._(
                "The file was signed in the format %(found)s. KSeF takes only XAdES: choose “XAdES, enveloped” (podpis otoczony) in "
                "the program that signs, and sign the downloaded XML file again.", found=problem.found or ''),
            Request.DOCTYPE: self.env._("The file holds a document type or entities, which KSeF refuses.") + " " + again,
            Request.BAD_ENCODING: self.env._("The file is not written in UTF-8.") + " " + again,
            Request.NOT_A_REQUEST: self.env._(
                "This XML file is not the login request. Choose the file that was downloaded here and then signed."),
            Request.NO_SIGNATURE: self.env._(
                "The file is not signed (KSeF: “Brak podpisu”). Sign the downloaded file with a trusted profile, a qualified "
                "signature or a seal, and choose the file that the signing program gives back."),
            Request.SEVERAL_SIGNATURES: self.env._("The file has more than one signature; KSeF takes exactly one.") + " " + again,
            Request.DETACHED: self.env._(
                "The signature is in a file of its own (detached). Choose “enveloped” (podpis otoczony) in the program that signs, "
                "and sign again."),
            Request.NOT_COVERED: self.env._("The signature does not cover the login request.") + " " + again,
            Request.NOT_XADES: self.env._(
                "The signature is a plain XML signature. Choose “XAdES” in the program that signs, and sign again."),
            Request.CONTENT_CHANGED: self.env._("The file was changed after it was signed.") + " " + again,
            Request.SIGNATURE_WRONG: self.env._("The signature does not fit its certificate.") + " " + again,
            Request.SIGNATURE_BROKEN: self.env._("The signature is incomplete or damaged.") + " " + again,
            Request.WEAK_ALGORITHM: self.env._(
                "The signature uses SHA-1, which KSeF no longer takes. Choose SHA-256 in the program that signs, and sign again."),
            Request.UNSUPPORTED_ALGORITHM: self.env._(
                "The signature uses an algorithm that KSeF does not take. Choose RSA or ECDSA with SHA-256, and sign again."),
            Request.DER_SIGNATURE: self.env._(
                "The ECDSA signature is written in a form that KSeF does not take. Use another program to sign."),
            Request.NO_CERTIFICATE: self.env._("The signature does not hold the certificate of who signed.") + " " + again,
            Request.WEAK_KEY: self.env._("The key of the signature is too short for KSeF. Sign with another certificate."),
            Request.CERTIFICATE_EXPIRED: self.env._(
                "The certificate of the signature has expired. Sign with a valid one; a trusted profile is prolonged in the bank or at "
                "pz.gov.pl."),
            Request.CERTIFICATE_NOT_YET_VALID: self.env._("The certificate of the signature is not valid yet. Sign with a valid one."),
            Request.OTHER_CHALLENGE: self.env._("This is the file of an earlier attempt; each serves only once.") + " " + again,
            Request.EXPIRED_CHALLENGE: self.env._("The ten minutes in which KSeF takes the signed file are over.") + " " + again,
            Request.OTHER_CONTEXT: self.env._(
                "The file is for another company (NIP %(found)s). Choose the one that was downloaded for this company.",
                found=problem.found or ''),
        }
        return texts[problem.fault]
