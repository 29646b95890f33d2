"""What the fields of a form give for a question, as `scripts.answers` takes it."""

from starlette.datastructures import FormData

from scripts.answers import AnswerRefused, validate_answer
from scripts.filling import Filling
from scripts.questionnaire import CHOICES, Answer, Item, ItemType
from web.refusals import Refusal

OTHER = "other:"  # the value of the option that stands for free text


def typed(item: Item, values: list[str], free: str) -> object:
    if item.type not in CHOICES:
        written = values[0] if values else ""
        return [line for line in written.splitlines() if line.strip()] if item.repeats else written
    picked: list[object] = [value for value in values if value != OTHER]
    if item.type is ItemType.OPEN_CHOICE and free.strip() and (OTHER in values or not picked):
        picked.append({"text": free})
    return picked if item.repeats else (picked[-1] if picked else None)


def answered(filling: Filling, key: str, sent: FormData) -> Answer | None:
    """The answer to a question of the form. Raises Refusal."""
    try:
        item = filling.place(key).item
        values = [str(one) for one in sent.getlist("value")]
        return validate_answer(item, typed(item, values, str(sent.get("text", ""))))
    except KeyError:
        raise Refusal(404, "There is no such question.") from None
    except AnswerRefused as refused:
        raise Refusal(422, refused.allowed[:1].upper() + refused.allowed[1:]) from None


def repeated(filling: Filling, key: str, *, more: bool) -> tuple[int, Answer | None]:
    """A group once more, or once less: how often it is there then, and the answer that says so. Raises Refusal."""
    try:
        place = filling.place(key)
        times = max(0, filling.times(place) + (1 if more else -1))
        return times, validate_answer(place.item, {"so_far": times})
    except KeyError:
        raise Refusal(404, "There is no such group.") from None
    except AnswerRefused:
        raise Refusal(422, "This group cannot be repeated more often.") from None
