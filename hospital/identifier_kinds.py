"""By what a caller may show who they are, for settings and dialogues; `identifiers.py` compares it with the record."""

from typing import Literal

Identifier = Literal["birth_date", "document_last4", "card_number", "nhi", "pin"]
FINDABLE: frozenset[Identifier] = frozenset({"birth_date", "card_number"})
"""Those by which a record is found without a calling number."""
