"""Real servers for tests: a database of its own, Odoo with its workers, KSeF's sandbox, users over HTTP, a browser."""
