"""The site key of every test: worthless, and the same in the test and in the hotline it starts."""

from pathlib import Path

from hotline.places import Places, write_private

SITE_KEY = bytes(range(32))


def put_site_key(data: Path, key: bytes = SITE_KEY) -> Places:
    """Into a data folder, for commands that are given none by HOTLINE_SITE_KEY."""
    here = Places(data)
    write_private(here.site_key, key)
    return here
