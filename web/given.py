"""What a form gives for a question, as `scripts.answers` takes it."""

from scripts.questionnaire import CHOICES, Item, ItemType

OTHER = "other:"  # the value of the option that stands for free text


def given(item: Item, values: list[str], free: str) -> object:
    if item.type not in CHOICES:
        written = values[0] if values else ""
        return [line for line in written.splitlines() if line.strip()] if item.repeats else written
    picked: list[object] = [value for value in values if value != OTHER]
    if item.type is ItemType.OPEN_CHOICE and free.strip() and (OTHER in values or not picked):
        picked.append({"text": free})
    return picked if item.repeats else (picked[-1] if picked else None)
