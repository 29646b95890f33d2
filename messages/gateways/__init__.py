"""Gateways, one file each.

To add one:

1. `gateways/<name>.py` with a class that satisfies `messages.gateway.Gateway`: `name`, `knows_ids`, `send`.
2. One table at its top translates the provider's answers into our words; what it does not hold is `Refused` if the
   provider surely did not take the message, else `FateUnknown`. Nothing of the provider's sentences goes further: they
   repeat the number.
3. Numbers and texts in neither logs, URLs nor exceptions. No call without a time limit. No second try by itself: the
   outbox does that.
4. `tests/test_messages_<name>.py` against a small server that behaves as the provider's published contract says, with
   a refusal, a time-out after the message went out, and no connection at all.
5. Where it also receives: a function that proves that a text is the provider's and reads it into `Incoming`; the
   provider's own id is what a text is known by when it is told twice.
6. Its settings in hotline/message_settings.py; `gateway()`, `delivery_reports()` and `text_replies()` in
   hotline/message_joints.py choose it by them.
"""
