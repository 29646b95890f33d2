"""Messages to patients: the outbox is rendered at sending and handed to a gateway, one file a gateway; letters are PDF.

Owns: rendering and delivery state. Never: says more than hospital, name, date, time, a link and a number to call; logs
a text or a number. Begin with `sender.py`, then `gateway.py`; letters are `letter_paper.py`; a gateway is added by the
recipe in `gateways/__init__.py`."""
