"""A list of record numbers that was sent: of each row it is told whether it is a patient's, and why one is left out. So
each time is a row in the audit chain, which names the patients of whom such a reason was told."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from hospital import audit
from hospital.record_lists import People


def told(
    session: Session, account_id: UUID, subject: str, at: datetime, digest: str, found: People, left: Iterable[UUID]
) -> None:
    """`left`: of whom it is told why not. `digest`: of the list. Write it last: it locks the chain."""
    patients = sorted(str(one) for one in left)
    counts = {"rows": found.rows, "able": len(found.found) - len(patients)}
    audit.record(session, account_id, "list.checked", subject, at, digest=digest[:16], patients=patients, **counts)
