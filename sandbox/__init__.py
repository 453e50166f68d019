"""A stand-alone, local KSeF 2.0: its own cryptography, its own checks, fault switches on demand.

Run it with ``python -m sandbox --port N``; the API is below ``/v2``, the administration below ``/admin``.
It shares no code with the client library, so a mistake on one side is not mirrored on the other.
"""

__version__ = "1.0"
