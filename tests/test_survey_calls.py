"""A questionnaire by telephone: a real phone, the real Asterisk, the whole house."""

from collections.abc import Iterator, Mapping

import pytest

from hospital import followups, questionnaires
from hospital.attempts import Attempt
from hospital.callbacks import Callback
from hospital.cases import Case
from hospital.followups import FollowUpTask
from scripts.questionnaire_files import kept
from tests.characters import LUCIA
from tests.house import House
from tests.scenes import asked_by_machine, reaches

pytestmark = pytest.mark.asterisk
ABOUT_OUR_CALL = "1"  # before the menu


@pytest.fixture
def task(house: House) -> Iterator[FollowUpTask]:
    with asked_by_machine(house) as task:
        yield task


def title(house: House) -> Mapping[str, str]:
    with house.database.transaction() as session:
        asked = questionnaires.newest(session, "discharge-day3")
        assert asked is not None
        return kept(asked.body).title.by_language


def answers(house: House, task: FollowUpTask) -> dict[str, object]:
    with house.database.transaction() as session:
        return followups.answers(session, task.id)


@pytest.mark.covers("H14", "H28", "H33", "I5", "I10")
async def test_we_call_lucia_she_is_cut_off_calls_back_and_a_red_flag_survives_a_killed_ivr(
    house: House, task: FollowUpTask
) -> None:
    async with house.phone("lucia") as lucia, house.phone("desk") as desk:
        await lucia.rings(within=30)
        await lucia.answers()
        await lucia.hears(await house.sound("outgoing_greeting", "es", given_name="Lucía"))
        await lucia.presses("1" + LUCIA.birth_keys)
        await lucia.hears(await house.sound("survey_intro", "es", answer=title(house)))
        await lucia.presses("1")  # better
        await house.until("it is saved", lambda: answers(house, task) == {"general": "better"}, within=30)
        await lucia.hangs_up()
        await house.until("it is settled", lambda: [one.state for one in house.rows(Attempt)] == ["ended"])
        await house.no_channels()

        await reaches(house, lucia, "es", ABOUT_OUR_CALL + LUCIA.birth_keys)
        await lucia.hears(await house.sound("survey_resumed", "es"), within=40)
        await lucia.presses("9#")
        await lucia.hears(await house.sound("survey_read_back", "es", given=9), within=30)
        await lucia.presses("1")
        await lucia.hears(await house.sound("survey_nobody_free", "es"), within=20)
        old = house.children["ivr"]
        house.kill("ivr")
        await desk.rings(within=40)  # Asterisk queues her all the same
        assert answers(house, task) == {"general": "better", "pain": 9}
        (flag,), (callback,) = house.rows(Case), house.rows(Callback)
        assert (flag.kind, flag.state, flag.detail) == ("red_flag", "open", "severe_pain")
        assert (callback.why, callback.number, callback.state) == ("red_flag", LUCIA.numbers[0], "open")
        await lucia.hangs_up()
        assert old is not None
        await house.restarted("ivr", old)
        await house.no_channels()
    with house.database.transaction() as session:
        now = session.get_one(FollowUpTask, task.id)
        assert (now.channel, now.priority, now.state) == ("nurse_call", 1, "open")
