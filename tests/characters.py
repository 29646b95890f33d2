"""The standing characters: always the same in tests, docs and demo data.

Their numbers are from ranges that no carrier gives out (or, where a country has none, of a plain pattern), so that
no test ever dials a person.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Character:
    name: str
    birth: date
    language: str
    numbers: tuple[str, ...]
    sex: str
    sip: str

    @property
    def birth_keys(self) -> str:
        """The birth date as it is typed: day, month, year."""
        return self.birth.strftime("%d%m%Y")


LUCIA = Character("Lucía Fernández", date(1980, 2, 29), "es", ("+573015550101",), "female", "lucia")
WIREMU = Character("Wiremu Tāmati", date(1952, 6, 1), "mi", ("+64215550102",), "male", "wiremu")
MEI = Character("Mei Chen", date(1991, 11, 8), "zh-CN", ("+8613055550103", "+8613055550113"), "female", "mei")
JOAO = Character("João Souza", date(1966, 12, 24), "pt-BR", ("+5511955550104", "+5511955550114"), "male", "joao")
RUTH = Character("Ruth Miller", date(1944, 3, 17), "en", ("+12025550105",), "female", "ruth")
PATIENTS = (LUCIA, WIREMU, MEI, JOAO, RUTH)
