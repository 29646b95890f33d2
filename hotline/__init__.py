"""The composition root: settings, wiring, command line, the supervisor, the private Asterisk and PostgreSQL, demo data.

Imports everything; nothing imports it. Begin with `commands.py`, then `wiring.py`."""

__version__ = "0.1.0"
