"""The domain: patients, booking, calls, follow-ups, questionnaires, accounts, audit. One file a noun:
mapped class, rules and verbs together.

Owns: every table and every rule. Knows neither Asterisk nor HTTP nor the clock: time is an argument.
Begin with `../schema.sql`, then `database.py`, then `booking.py`."""
