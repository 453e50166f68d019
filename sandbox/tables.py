"""The tables of the state. Instants are KSeF's text form (sortable), due times are seconds of the real clock."""

VERSION = 2  # raise it with every change that a state file of before would not survive

TABLES = [
    "CREATE TABLE IF NOT EXISTS memory (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS keys (
        id TEXT PRIMARY KEY, usage TEXT NOT NULL, private BLOB NOT NULL, certificate BLOB NOT NULL,
        valid_from TEXT NOT NULL, valid_to TEXT NOT NULL, revoked INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE IF NOT EXISTS challenges (
        challenge TEXT PRIMARY KEY, timestamp_ms INTEGER NOT NULL, valid_until TEXT NOT NULL,
        used INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE IF NOT EXISTS logins (
        reference TEXT PRIMARY KEY, started TEXT NOT NULL, method TEXT NOT NULL, method_code TEXT NOT NULL,
        context_type TEXT NOT NULL, context_value TEXT NOT NULL, subject_type TEXT NOT NULL,
        subject_value TEXT NOT NULL, subject TEXT, token_reference TEXT, document_hash TEXT, policy TEXT,
        code INTEGER NOT NULL, details TEXT, ready REAL NOT NULL, redeemed INTEGER NOT NULL DEFAULT 0,
        refreshed TEXT, refresh_valid_until TEXT, certificate_serial TEXT)""",
    "CREATE INDEX IF NOT EXISTS logins_subject ON logins (subject_type, subject_value, context_value, started)",
    """CREATE TABLE IF NOT EXISTS tokens (
        reference TEXT PRIMARY KEY, secret_hash TEXT NOT NULL UNIQUE, context_type TEXT NOT NULL,
        context_value TEXT NOT NULL, author_type TEXT NOT NULL, author_value TEXT NOT NULL,
        description TEXT NOT NULL, permissions TEXT NOT NULL, created TEXT NOT NULL, last_use TEXT,
        status TEXT NOT NULL, ready REAL NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS tokens_context ON tokens (context_type, context_value, created)",
    """CREATE TABLE IF NOT EXISTS sessions (
        reference TEXT PRIMARY KEY, kind TEXT NOT NULL, context_type TEXT NOT NULL, context_value TEXT NOT NULL,
        login TEXT NOT NULL, form TEXT NOT NULL, aes_key BLOB, aes_iv BLOB, code INTEGER NOT NULL, description TEXT,
        details TEXT, created TEXT NOT NULL, updated TEXT NOT NULL, valid_until TEXT NOT NULL, closed TEXT,
        offline INTEGER NOT NULL DEFAULT 0, features TEXT, batch TEXT, total INTEGER NOT NULL DEFAULT 0,
        accepted INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, flags TEXT)""",
    "CREATE INDEX IF NOT EXISTS sessions_context ON sessions (context_type, context_value, kind, created)",
    "CREATE INDEX IF NOT EXISTS sessions_open ON sessions (valid_until) WHERE code = 100",
    """CREATE TABLE IF NOT EXISTS invoices (
        reference TEXT PRIMARY KEY, session TEXT NOT NULL, ordinal INTEGER NOT NULL, code INTEGER NOT NULL,
        description TEXT, details TEXT, extensions TEXT, hash TEXT NOT NULL, size INTEGER NOT NULL,
        file_name TEXT, invoice_number TEXT, seller_nip TEXT, ksef_number TEXT, invoiced TEXT NOT NULL,
        acquired TEXT, stored TEXT, mode TEXT, offline INTEGER NOT NULL DEFAULT 0, corrected_hash TEXT,
        due REAL NOT NULL, plan TEXT)""",
    "CREATE UNIQUE INDEX IF NOT EXISTS invoices_session ON invoices (session, ordinal)",
    "CREATE UNIQUE INDEX IF NOT EXISTS invoices_number ON invoices (ksef_number) WHERE ksef_number IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS invoices_pending ON invoices (due) WHERE code < 200",
    "CREATE INDEX IF NOT EXISTS invoices_hash ON invoices (hash)",
    "CREATE INDEX IF NOT EXISTS invoices_corrected ON invoices (corrected_hash) WHERE corrected_hash IS NOT NULL",
    """CREATE TABLE IF NOT EXISTS files (
        reference TEXT PRIMARY KEY, encrypted BLOB, xml BLOB, upo BLOB)""",
    """CREATE TABLE IF NOT EXISTS archive (
        id INTEGER PRIMARY KEY, ksef_number TEXT NOT NULL UNIQUE, reference TEXT NOT NULL, session TEXT NOT NULL,
        seller_nip TEXT NOT NULL, kind TEXT NOT NULL, number TEXT NOT NULL, issued TEXT NOT NULL,
        invoiced TEXT NOT NULL, stored TEXT NOT NULL, hash TEXT NOT NULL, corrected_hash TEXT, buyer_type TEXT,
        buyer_value TEXT, currency TEXT, net REAL, gross REAL, vat REAL, mode TEXT, form TEXT, type TEXT,
        self_invoicing INTEGER, attachment INTEGER, metadata TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS archive_duplicate ON archive (seller_nip, kind, number)",
    "CREATE INDEX IF NOT EXISTS archive_hash ON archive (hash)",
    "CREATE INDEX IF NOT EXISTS archive_number ON archive (number)",
    "CREATE INDEX IF NOT EXISTS archive_corrected ON archive (corrected_hash) WHERE corrected_hash IS NOT NULL",
    # who may see an invoice, and under which role; each index holds all that a page of a query needs
    """CREATE TABLE IF NOT EXISTS parties (
        role TEXT NOT NULL, value TEXT NOT NULL, invoice INTEGER NOT NULL, stored TEXT NOT NULL,
        invoiced TEXT NOT NULL, issued TEXT NOT NULL, PRIMARY KEY (role, value, invoice)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS parties_stored ON parties (role, value, stored, invoice)",
    "CREATE INDEX IF NOT EXISTS parties_invoiced ON parties (role, value, invoiced, invoice, stored)",
    "CREATE INDEX IF NOT EXISTS parties_issued ON parties (role, value, issued, invoice, stored)",
    "CREATE INDEX IF NOT EXISTS parties_invoice ON parties (invoice, value)",
    """CREATE TABLE IF NOT EXISTS upo_pages (
        reference TEXT PRIMARY KEY, session TEXT NOT NULL, page INTEGER NOT NULL, content BLOB)""",
    "CREATE INDEX IF NOT EXISTS upo_pages_session ON upo_pages (session, page)",
    """CREATE TABLE IF NOT EXISTS grants (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, scope TEXT NOT NULL, context_type TEXT NOT NULL,
        context_value TEXT NOT NULL, subject_type TEXT NOT NULL, subject_value TEXT NOT NULL, target_type TEXT,
        target_value TEXT, delegate INTEGER NOT NULL DEFAULT 0, author_type TEXT NOT NULL, author_value TEXT,
        description TEXT NOT NULL, started TEXT NOT NULL, details TEXT)""",
    "CREATE INDEX IF NOT EXISTS grants_context ON grants (context_value, kind)",
    "CREATE INDEX IF NOT EXISTS grants_subject ON grants (subject_type, subject_value)",
    """CREATE TABLE IF NOT EXISTS operations (
        reference TEXT PRIMARY KEY, owner TEXT NOT NULL, created TEXT NOT NULL, ready REAL NOT NULL,
        code INTEGER NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS subjects (
        nip TEXT PRIMARY KEY, type TEXT NOT NULL, parent TEXT, description TEXT NOT NULL, created TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS persons (
        nip TEXT PRIMARY KEY, pesel TEXT NOT NULL, bailiff INTEGER NOT NULL, deceased INTEGER NOT NULL,
        description TEXT NOT NULL, created TEXT NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS attachments (nip TEXT PRIMARY KEY, granted TEXT NOT NULL, revoked TEXT)",
    """CREATE TABLE IF NOT EXISTS blocked (
        context_type TEXT, context_value TEXT, PRIMARY KEY (context_type, context_value))""",
    "CREATE TABLE IF NOT EXISTS overrides (kind TEXT, owner TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, owner))",
    """CREATE TABLE IF NOT EXISTS enrollments (
        reference TEXT PRIMARY KEY, subject_type TEXT NOT NULL, subject_value TEXT NOT NULL, requested TEXT NOT NULL,
        ready REAL NOT NULL, code INTEGER NOT NULL, details TEXT, serial TEXT)""",
    "CREATE INDEX IF NOT EXISTS enrollments_subject ON enrollments (subject_type, subject_value)",
    """CREATE TABLE IF NOT EXISTS certificates (
        serial TEXT PRIMARY KEY, subject_type TEXT NOT NULL, subject_value TEXT NOT NULL, name TEXT NOT NULL,
        type TEXT NOT NULL, common_name TEXT NOT NULL, content BLOB NOT NULL, key_hash TEXT NOT NULL,
        valid_from TEXT NOT NULL, valid_to TEXT NOT NULL, requested TEXT NOT NULL, ready REAL NOT NULL, last_use TEXT,
        revoked TEXT, reason TEXT)""",
    "CREATE INDEX IF NOT EXISTS certificates_subject ON certificates (subject_type, subject_value, requested)",
    "CREATE INDEX IF NOT EXISTS certificates_key ON certificates (key_hash)",
    """CREATE TABLE IF NOT EXISTS exports (
        reference TEXT PRIMARY KEY, owner TEXT NOT NULL, context_type TEXT NOT NULL, context_value TEXT NOT NULL,
        created TEXT NOT NULL, request TEXT NOT NULL, aes_key BLOB, aes_iv BLOB, code INTEGER NOT NULL,
        due REAL NOT NULL, completed TEXT, expires TEXT, package TEXT, plan TEXT)""",
    "CREATE INDEX IF NOT EXISTS exports_owner ON exports (owner, code)",
    """CREATE TABLE IF NOT EXISTS collectives (
        number TEXT PRIMARY KEY, context_type TEXT NOT NULL, context_value TEXT NOT NULL, seller_nip TEXT NOT NULL,
        created TEXT NOT NULL, invoices INTEGER NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS collectives_context ON collectives (context_value, created)",
    "CREATE INDEX IF NOT EXISTS collectives_seller ON collectives (seller_nip, created)",
    """CREATE TABLE IF NOT EXISTS collective_invoices (
        number TEXT NOT NULL, ksef_number TEXT NOT NULL, amount REAL, currency TEXT, description TEXT,
        PRIMARY KEY (number, ksef_number)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS collective_invoices_number ON collective_invoices (ksef_number)",
    "CREATE TABLE IF NOT EXISTS peppol (id TEXT PRIMARY KEY, name TEXT NOT NULL, created TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS faults (id INTEGER PRIMARY KEY AUTOINCREMENT, definition TEXT NOT NULL)",
]
