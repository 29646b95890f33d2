"""`hotline verify`: does the audit chain hold, and is every recording as it was sealed?"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import audit, vault
from hospital.recordings import Recording
from hotline import tapes, wiring
from hotline.places import places
from hotline.settings import Settings
from recordings.files import Shelf
from recordings.replay import NotThere, Replay
from recordings.sealing import Tampered


async def verify(settings: Settings) -> int:
    """0 where all is sound, 1 where something is not; each finding on a line."""
    here = places(settings)
    database = wiring.open_database(settings, here)
    try:
        chain = await database.run(audit.verify)
        print(f"audit chain: {chain.rows} rows, {'sound' if chain.sound else f'broken at row {chain.broken_at}'}")
        replay = Replay(Shelf(here.recordings), tapes.SqlCatalogue(database, wiring.now), vault.unwrap_key)
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


def _sealed(session: Session) -> list[UUID]:
    return list(session.scalars(select(Recording.id).where(Recording.state == "sealed").order_by(Recording.started_at)))
