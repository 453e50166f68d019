"""What can only be shown with real processes: locks, crashes, several workers, live updates, a browser.

Odoo's test mode has one database connection and one lock, runs no post-commit hooks and forbids commits. So these tests
are plain pytest: each module gets a copy of a prepared database, an Odoo server with several processes, the sandbox in
a process of its own, and kills, holds and breaks what a bad day would. ``harness`` makes the surroundings, dev/test the
databases.
"""
