"""Bodies of requests, named as the contract names them: login, tokens, sessions, invoices, certificates, limits."""

from .ids import KSEF_NUMBER
from .shapes import Base64, Boolean, Day, Instant, Integer, Many, Number, Text, choice, record

VAT_UE = (r"(ATU\d{8}|BE[01]{1}\d{9}|BG\d{9,10}|CY\d{8}[A-Z]|CZ\d{8,10}|DE\d{9}|DK\d{8}|EE\d{9}|EL\d{9}|"
          r"ES([A-Z]\d{8}|\d{8}[A-Z]|[A-Z]\d{7}[A-Z])|FI\d{8}|FR[A-Z0-9]{2}\d{9}|HR\d{11}|HU\d{8}|"
          r"IE(\d{7}[A-Z]{2}|\d[A-Z0-9+*]\d{5}[A-Z])|IT\d{11}|LT(\d{9}|\d{12})|LU\d{8}|LV\d{11}|MT\d{8}|"
          r"NL[A-Z0-9+*]{12}|PT\d{9}|RO\d{2,10}|SE\d{12}|SI\d{8}|SK\d{10}|XI((\d{9}|\d{12})|(GD|HA)\d{3}))")
NIP_PATTERN = r"[1-9]((\d[1-9])|([1-9]\d))\d{7}"
_OCTET = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])"
IP_PATTERN = rf"({_OCTET}\.){{3}}{_OCTET}"

_CURRENCIES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF "
    "CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GGP GHS GIP "
    "GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS IMP INR IQD IRR ISK JEP JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD "
    "KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD "
    "OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLL SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VES VND VUV WST XAF XAG XAU XBA XBB XBC XBD "
    "XCD XCG XDR XOF XPD XPF XPT XSU XUA XXX YER ZAR ZMW ZWL CNH VED XTS ZWG SLE"
)
CURRENCIES = tuple(_CURRENCIES.split())
INVOICE_TYPES = ("Vat", "Zal", "Kor", "Roz", "Upr", "KorZal", "KorRoz", "VatPef", "VatPefSp", "KorPef", "VatRr",
                 "KorVatRr")
TOKEN_PERMISSIONS = ("InvoiceRead", "InvoiceWrite", "CredentialsRead", "CredentialsManage", "SubunitManage",
                     "EnforcementOperations", "Introspection", "CollectiveIdentifierManage")

# Simple types
Nip = Text(10, 10, NIP_PATTERN)
Pesel = Text(11, 11, r"\d{2}(?:0[1-9]|1[0-2]|2[1-9]|3[0-2]|4[1-9]|5[0-2]|6[1-9]|7[0-2]|8[1-9]|9[0-2])\d{7}")
Challenge = Text(36, 36)
ReferenceNumber = Text(36, 36)
KsefNumber = Text(35, 36, KSEF_NUMBER.pattern)
PermissionId = Text(36, 36)
Sha256HashBase64 = Base64(44, 44, 32)
PublicKeyId = Base64(44, 44)
SerialNumber = Text(16, 16, r"[0-9A-F]{16}")
Description = Text(5, 256)
CurrencyCode = choice(*CURRENCIES)
CompressionType = choice("Zip", "TarGz")
CertificateType = choice("Authentication", "Offline")

# Login
AuthenticationContextIdentifier = record({"type": choice("Nip", "InternalId", "NipVatUe", "PeppolId"), "value": Text()})
AllowedIps = record(optional={
    "ip4Addresses": Many(Text(pattern=IP_PATTERN), 0, 10),
    "ip4Ranges": Many(Text(pattern=f"{IP_PATTERN}-{IP_PATTERN}"), 0, 10),
    "ip4Masks": Many(Text(pattern=rf"{IP_PATTERN}/(0|[1-9]|[12][0-9]|3[0-2])"), 0, 10),
})
AuthorizationPolicy = record(optional={"allowedIps": AllowedIps})
InitTokenAuthenticationRequest = record(
    {"challenge": Challenge, "contextIdentifier": AuthenticationContextIdentifier, "encryptedToken": Base64()},
    {"publicKeyId": PublicKeyId, "authorizationPolicy": AuthorizationPolicy},
)
GenerateTokenRequest = record({"permissions": Many(choice(*TOKEN_PERMISSIONS), 1), "description": Description})

# Sending
FormCode = record({"systemCode": Text(), "schemaVersion": Text(), "value": Text()})
EncryptionInfo = record({"encryptedSymmetricKey": Base64(), "initializationVector": Base64(size=16)},
                        {"publicKeyId": PublicKeyId})
OpenOnlineSessionRequest = record({"formCode": FormCode, "encryption": EncryptionInfo})
SendInvoiceRequest = record(
    {"invoiceHash": Sha256HashBase64, "invoiceSize": Integer(1, bits=64), "encryptedInvoiceHash": Sha256HashBase64,
     "encryptedInvoiceSize": Integer(1, bits=64), "encryptedInvoiceContent": Base64()},
    {"offlineMode": Boolean(), "hashOfCorrectedInvoice": Sha256HashBase64}, {"hashOfCorrectedInvoice"},
)
BatchFilePartInfo = record({"ordinalNumber": Integer(1), "fileSize": Integer(1, bits=64), "fileHash": Sha256HashBase64})
BatchFileInfo = record(
    {"fileSize": Integer(1, 5_000_000_000, 64), "fileHash": Sha256HashBase64, "fileParts": Many(BatchFilePartInfo, 1)},
    {"compressionType": CompressionType},
)
OpenBatchSessionRequest = record({"formCode": FormCode, "batchFile": BatchFileInfo, "encryption": EncryptionInfo},
                                 {"offlineMode": Boolean()}, ())

# Receiving
InvoiceQueryDateRange = record({"dateType": choice("Issue", "Invoicing", "PermanentStorage"), "from": Instant()},
                               {"to": Instant(), "restrictToPermanentStorageHwmDate": Boolean()})
InvoiceQueryAmount = record({"type": choice("Brutto", "Netto", "Vat")}, {"from": Number(), "to": Number()})
InvoiceQueryBuyerIdentifier = record({"type": choice("Nip", "VatUe", "Other", "None")}, {"value": Text(0, 50)})
InvoiceQueryFilters = record(
    {"subjectType": choice("Subject1", "Subject2", "Subject3", "SubjectAuthorized"),
     "dateRange": InvoiceQueryDateRange},
    {"ksefNumber": KsefNumber, "invoiceNumber": Text(0, 256), "amount": InvoiceQueryAmount, "sellerNip": Nip,
     "buyerIdentifier": InvoiceQueryBuyerIdentifier, "currencyCodes": Many(CurrencyCode),
     "invoicingMode": choice("Online", "Offline"), "isSelfInvoicing": Boolean(),
     "formType": choice("FA", "PEF", "FA_RR"), "invoiceTypes": Many(choice(*INVOICE_TYPES)),
     "hasAttachment": Boolean()},
)
InvoiceExportRequest = record({"encryption": EncryptionInfo, "filters": InvoiceQueryFilters},
                              {"onlyMetadata": Boolean(), "compressionType": CompressionType}, {"compressionType"})

# Certificates
EnrollCertificateRequest = record(
    {"certificateName": Text(5, 100, r"[a-zA-Z0-9_\-\ ąćęłńóśźżĄĆĘŁŃÓŚŹŻ]+"), "certificateType": CertificateType,
     "csr": Base64()},
    {"validFrom": Instant()},
)
RetrieveCertificatesRequest = record({"certificateSerialNumbers": Many(SerialNumber, 1, 10)})
RevokeCertificateRequest = record(optional={"revocationReason": choice("Unspecified", "Superseded", "KeyCompromise")})
QueryCertificatesRequest = record(optional={
    "certificateSerialNumber": SerialNumber, "name": Text(), "type": CertificateType,
    "status": choice("Active", "Blocked", "Revoked", "Expired"), "expiresAfter": Instant(),
})
TestDataUpdateCertificateRequest = record({"validTo": Instant()})

# Collective identifiers
CollectiveIdentifierInvoicePayment = record({"amount": Number(), "currency": CurrencyCode})
CollectiveIdentifierInvoice = record({"ksefNumber": KsefNumber},
                                     {"payment": CollectiveIdentifierInvoicePayment, "description": Text(0, 512)})
GenerateCollectiveIdentifierRequest = record({"invoices": Many(CollectiveIdentifierInvoice, 2)})
CollectiveIdentifiersQueryRequest = record(
    {"dateCreatedFrom": Instant(), "dateCreatedTo": Instant()},
    {"collectiveIdentifierNumber": Text(), "invoiceCountFrom": Integer(), "invoiceCountTo": Integer(),
     "createdInCurrentContext": Boolean()},
)
CollectiveIdentifierInvoicesQueryRequest = record({"collectiveIdentifierNumbers": Many(Text(), 1, 10)})

# Limits
_SESSION_LIMITS = record({"maxInvoiceSizeInMB": Integer(0, 5), "maxInvoiceWithAttachmentSizeInMB": Integer(0, 10),
                          "maxInvoices": Integer(0, 100_000)})
SetSessionLimitsRequest = record({
    "onlineSession": _SESSION_LIMITS, "batchSession": _SESSION_LIMITS,
    "collectiveIdentifier": record({"maxInvoices": Integer(2, 5000)}),
})
SetSubjectLimitsRequest = record(
    optional={"subjectIdentifierType": choice("Nip", "Pesel", "Fingerprint"),
              "enrollment": record(optional={"maxEnrollments": Integer(0)}),
              "certificate": record(optional={"maxCertificates": Integer(0)})},
    nullable={"enrollment", "certificate"},
)
RATE_GROUPS = ("onlineSession", "batchSession", "invoiceSend", "invoiceStatus", "sessionList", "sessionInvoiceList",
               "sessionMisc", "invoiceMetadata", "invoiceExport", "invoiceExportStatus", "invoiceDownload",
               "collectiveIdentifier", "other")
_RATE = record({"perSecond": Integer(), "perMinute": Integer(), "perHour": Integer()})
SetRateLimitsRequest = record({"rateLimits": record(dict.fromkeys(RATE_GROUPS, _RATE))})

# Test data
SubjectCreateRequest = record(
    {"subjectNip": Nip, "subjectType": choice("EnforcementAuthority", "VatGroup", "JST"), "description": Description},
    {"subunits": Many(record({"subjectNip": Nip, "description": Description})), "createdDate": Instant()},
)
SubjectRemoveRequest = record({"subjectNip": Nip})
PersonCreateRequest = record({"nip": Nip, "pesel": Pesel, "isBailiff": Boolean(), "description": Description},
                             {"isDeceased": Boolean(), "createdDate": Instant()}, {"createdDate"})
PersonRemoveRequest = record({"nip": Nip})
AttachmentPermissionGrantRequest = record({"nip": Nip})
AttachmentPermissionRevokeRequest = record({"nip": Nip}, {"expectedEndDate": Day()})
BlockContextAuthenticationRequest = record(optional={"contextIdentifier": AuthenticationContextIdentifier})
UnblockContextAuthenticationRequest = BlockContextAuthenticationRequest
_TEST_CONTEXT = record({"type": choice("Nip"), "value": Text(10, 10)})
_TEST_AUTHORIZED = record({"type": choice("Nip", "Pesel", "Fingerprint"), "value": Text(10, 64)})
TestDataPermissionsGrantRequest = record({
    "contextIdentifier": _TEST_CONTEXT, "authorizedIdentifier": _TEST_AUTHORIZED,
    "permissions": Many(record({"description": Description, "permissionType": choice(
        "InvoiceRead", "InvoiceWrite", "Introspection", "CredentialsRead", "CredentialsManage",
        "EnforcementOperations", "SubunitManage", "CollectiveIdentifierManage")})),
})
TestDataPermissionsRevokeRequest = record(
    {"contextIdentifier": _TEST_CONTEXT, "authorizedIdentifier": _TEST_AUTHORIZED})
