"""The site key of every test: worthless, and the same in the test and in the hotline it starts."""

SITE_KEY = bytes(range(32))
