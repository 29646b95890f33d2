"""`hotline verify`: does the audit chain hold, and is every recording as it was sealed?"""

import sys
import time
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import audit, vault
from hospital.audit import Verdict, Walk
from hospital.database import Database
from hospital.recordings import Recording
from hotline import opened, tapes
from hotline.places import places
from hotline.settings import Settings
from recordings.files import Shelf
from recordings.replay import NotThere, Replay
from recordings.sealing import Tampered

SIGN_OF_LIFE_S = 3.0


async def verify(settings: Settings) -> int:
    """0 where all is sound, 1 where something is not; each finding on a line."""
    here = places(settings)
    database = opened.open_database(settings, here)
    try:
        chain = _walked(database)
        print(f"audit chain: {chain.rows} rows, {'sound' if chain.sound else f'broken at row {chain.broken_at}'}")
        replay = Replay(Shelf(here.recordings), tapes.SqlCatalogue(database, opened.now), vault.unwrap_key)
        ids = await database.run(_sealed)
        damaged = 0
        for recording_id in ids:
            try:
                await replay.verify(recording_id)
            except (Tampered, NotThere, vault.VaultLocked) as finding:
                damaged += 1
                print(f"recording {recording_id}: {finding}")
        print(f"recordings: {len(ids)} sealed, {damaged} damaged")
        return 0 if chain.sound and not damaged else 1
    finally:
        database.close()


def _walked(database: Database) -> Verdict:
    """The whole chain, however long it takes; how far it is, every few seconds on standard error."""
    with database.transaction() as session:
        length = audit.length(session)
    walk, told = Walk(), time.monotonic()
    while not walk.over:
        with database.transaction() as session:
            walk = audit.walk_on(session, walk)
        if time.monotonic() - told >= SIGN_OF_LIFE_S:
            told = time.monotonic()
            print(f"audit chain: {walk.rows:,} of {length:,} rows hold …", file=sys.stderr, flush=True)
    return walk.verdict


def _sealed(session: Session) -> list[UUID]:
    return list(session.scalars(select(Recording.id).where(Recording.state == "sealed").order_by(Recording.started_at)))
