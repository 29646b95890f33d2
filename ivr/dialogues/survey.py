"""A questionnaire is asked by the machine. Who is asked has proved who they are before.

Rules: an answer is saved before the next question is asked. Whoever hangs up goes on there in the next call, and hears
so in one sentence; nobody is asked from the start again. A red flag, in an answer or as a call for urgent help, ends
the survey at once, with a person; its case is written, and nothing more is asked, not in a later call either. How each
kind of question is asked is in `survey_questions.py`. A visit that answers ask for is booked in the same call
(`survey_revisit.py`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

from hospital import surveys
from hospital.cases import Teller
from hospital.clocks import due
from hospital.surveys import Met, RedFlag, Survey
from ivr.call import Call, CallerLeft, Notice, Prompt, Transferred
from ivr.dialogues.attended import DATABASE_S
from ivr.dialogues.identity import identify
from ivr.dialogues.survey_question import said, statement
from ivr.dialogues.survey_questions import ask
from ivr.dialogues.survey_revisit import offer_visits
from ivr.front_desk import FrontDesk
from scripts import words_between
from scripts.filling import Filling, Place
from scripts.questionnaire import Answer, Item
from scripts.questionnaire_files import kept
from scripts.verbalise import SPEECH

log = logging.getLogger(__name__)

WhenAnswered = Callable[[], Awaitable[object]]


async def survey(
    call: Call,
    front: FrontDesk,
    task_id: UUID,
    attempt_id: UUID | None = None,
    *,
    when_answered: WhenAnswered | None = None,
) -> bool:
    """Asks what is still to be asked of a task; `attempt_id` is the call of ours in which it is. True when all that is
    needed was answered; then `when_answered` comes before the thanks, on which many hang up. Raises `Transferred` where
    a red flag was raised."""
    found = await front.database.run(surveys.begin, task_id)
    sitting = Sitting(call, front, found, attempt_id, when_answered)
    try:
        return await sitting.hold()
    except Transferred as asked:
        if asked.queue == call.house.urgent_queue:
            await sitting.alarmed(asked.reason)
        raise
    except CallerLeft:
        if call.alarm_in_doubt:
            await sitting.alarmed("alarm_in_doubt")
        raise


async def answer_questions(call: Call, front: FrontDesk) -> None:
    """A patient calls, and we have questions: a key of the menu leads here."""
    patient = await identify(call, front)
    if patient is None:
        return
    tasks = await front.database.run(surveys.waiting_for, patient.id, front.now())
    if not tasks:
        await call.say("survey_nothing")
    for task_id in tasks:
        await survey(call, front, task_id, when_answered=partial(_finish, front, task_id))


async def _finish(front: FrontDesk, task_id: UUID) -> None:
    await front.database.run(surveys.finish, task_id, front.now())


class Sitting:
    """One call in which a questionnaire is asked."""

    def __init__(
        self,
        call: Call,
        front: FrontDesk,
        found: Survey,
        attempt_id: UUID | None,
        when_answered: WhenAnswered | None = None,
    ) -> None:
        self.call, self.front = call, front
        self._found, self._attempt_id, self._when_answered = found, attempt_id, when_answered
        self._questionnaire = kept(found.body)
        self._answers: dict[str, Answer | None] = dict(found.answers)
        self._said: set[str] = set()
        self._about: set[str] = set()
        self._flag: str | None = None
        self._person_there = True

    @property
    def filling(self) -> Filling:
        return Filling(self._questionnaire, self._answers)

    def given(self, place: Place) -> Answer | None:
        return self._answers.get(place.key)

    async def hold(self) -> bool:
        if self.filling.flags():
            await self.call.transfer("nurses", "red_flag_before")
        if not self._can_be_said():
            await self.call.transfer("nurses", "no_voice_for_it")
        await self._greet()
        passed: set[str] = set()
        way: list[str] = []
        again: str | None = None
        while (place := self._place(again, passed)) is not None:
            again, asked = None, False
            self.call.prepare(*self._next_question(place))
            with self.call.returning():
                await self._ask(place)
                asked = True
            if not asked:
                again = way.pop() if way else place.key
                continue
            way.append(place.key)
            if not place.counts and self.filling.open(place):
                passed.add(place.key)  # needed, and not to be had from this caller: a nurse will ask
        await self._say_once(words_between.after_all(self.filling))
        await offer_visits(self.call, self.front, self._found.patient, self._found.task_id)
        whole = self.filling.complete and not passed
        await self.call.journal.step("survey_ended", whole=whole)
        if whole and self._when_answered is not None:
            await self._when_answered()
        await self.call.inform("survey_done" if whole else "survey_not_whole")
        return whole

    async def save(self, place: Place, value: Answer | None) -> None:
        """Writes an answer down; leaves for a person where it raises a red flag."""
        await self.write(place, value)
        await self.leave_if_flagged()

    async def write(self, place: Place, value: Answer | None) -> None:
        """Writes an answer down with what it raises, and says nothing: the caller may have left."""
        self._answers[place.key] = value
        flags = self.filling.flags()
        flag = self._red_flag(flags[0].code) if flags else None
        self._person_there = await self.front.database.run(
            surveys.answer,
            self._found.task_id,
            place.key,
            value,
            self.front.now(),
            attempt_id=self._attempt_id,
            flag=flag,
            met=self._met(),
        )
        self._flag = flag.code if flag else None
        await self.call.journal.step("answered", item=place.key)

    def _met(self) -> Met:
        return Met([rule.change for rule in self.filling.rules()], self.front.calendar, self.front.care.clocks)

    async def alarmed(self, code: str) -> None:
        """Whoever cries for help is led to a person, whatever becomes of this."""
        if self._flag is not None:
            return
        self._flag = code
        try:
            async with asyncio.timeout(DATABASE_S):
                there = await self.front.database.run(
                    surveys.alarm, self._found.task_id, self._red_flag(code), self.front.now()
                )
        except Exception as error:
            log.error("call %s: the alarm in a survey could not be written (%s)", self.call.id, type(error).__name__)
            return
        if not there and code != "alarm_in_doubt":  # who raised that has left
            await self._nobody_is_free()

    async def _nobody_is_free(self) -> None:
        """Any key stops it, and none leads elsewhere: the caller goes to the urgent queue anyway."""
        await self.call.play(Prompt("survey_nobody_free"), Notice())

    async def leave_if_flagged(self) -> None:
        if self._flag is None:
            return
        if not self._person_there:
            await self._nobody_is_free()
        await self.call.transfer(self.call.house.urgent_queue, self._flag)

    def _place(self, again: str | None, passed: set[str]) -> Place | None:
        filling = self.filling
        if again is not None:
            place = next((one for one in filling.places if one.key == again and filling.enabled(one)), None)
            if place is not None:
                return place
        return filling.next(passed)

    def _next_question(self, place: Place) -> list[Prompt]:
        """What is asked after it, unless its answer decides otherwise."""
        filling = self.filling
        following = filling.places[filling.places.index(place) + 1 :]
        later = next((one for one in following if one.item.asks and filling.enabled(one)), None)
        return statement(later.item) if later is not None else []

    def _can_be_said(self) -> bool:
        """Whether a voice of ours speaks all of it. One that came from elsewhere may be in a language of its own."""
        said = (text.of(self.call.language).language for text in self._questionnaire.texts() if text)
        return all(language in SPEECH for language in said)

    async def _greet(self) -> None:
        done, _ = self.filling.progress()
        title = self._questionnaire.title.by_language
        if done:
            await self.call.say("survey_resumed")
        else:
            await self.call.say("survey_intro", answer=title)

    async def _ask(self, place: Place) -> None:
        leads = words_between.before(self.filling, place)
        if place.counts and not place.item.of_answers:
            leads += words_between.another(self.filling, place)
        await self._say_once(leads)
        self._knows(words_between.key_of_answer(place))
        await ask(self, place)
        if place.counts:
            self._knows(words_between.Repetition(place, self.filling.times(place)).key)

    def _knows(self, key: str) -> None:
        """Who has just given an answer, or said that there is another one, knows which it is."""
        self._about.add(key)
        self._said.add(key)

    async def _say_once(self, leads: list[words_between.Lead]) -> None:
        """Which answer or repetition is meant is said again where the question before was about another, as after a way
        back."""
        before, self._about = self._about, {key for key, lead in leads if not isinstance(lead, Item)}
        self._said -= self._about - before
        for key, lead in leads:
            if key in self._said:
                continue
            self._said.add(key)
            if isinstance(lead, Item):
                await self.call.say("survey_statement", asked=lead.said.by_language)
            elif isinstance(lead, words_between.Repetition):
                await self.call.say("survey_repetition", n=lead.number)
            elif lead.number:
                await self.call.say("survey_about_answer", n=lead.number)
            elif lead.answer is None:
                await self.call.say("survey_about_own")
            else:
                await self.call.say("survey_about", answer=said(lead.answer))

    def teller(self) -> Teller:
        return Teller(self.call.id, self.call.caller_number, self._found.patient.id, self.call.language)

    def _red_flag(self, code: str) -> RedFlag:
        clock = due("red_flag", self.front.now(), self.front.care.clocks)
        return RedFlag(code, self.teller(), clock, self.call.house.urgent_queue)
