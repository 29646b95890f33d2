"""Whether callers may answer by voice: one row a node, written by its ivr whenever it changes, read by the console."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import String, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital.database import Base, announce


class Hearing(Base):
    """`languages`: tags in which callers are understood now. `trouble`: what to do about it, or ""."""

    __tablename__ = "hearing"
    node: Mapped[str] = mapped_column(primary_key=True)
    engine: Mapped[str]
    languages: Mapped[list[str]] = mapped_column(ARRAY(String))
    trouble: Mapped[str]
    since: Mapped[datetime]


def tell(session: Session, node: str, engine: str, languages: Sequence[str], trouble: str, at: datetime) -> None:
    said = {"engine": engine, "languages": list(languages), "trouble": trouble, "since": at}
    made = insert(Hearing).values(node=node, **said)
    session.execute(made.on_conflict_do_update(index_elements=[Hearing.node], set_=said))
    announce(session, "hearing", node)


def of_all(session: Session) -> list[Hearing]:
    return list(session.scalars(select(Hearing).order_by(Hearing.node)))
