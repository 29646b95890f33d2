"""Our prompts over the telephone, in the ears of somebody who cannot see the text: a fixed sample of forty.

`python -m benchmarks.bench_ear_proxy` does it with all of them.
"""

import asyncio
import statistics
from pathlib import Path

import pytest

from benchmarks.bench_ear_proxy import left_out, missed
from hotline import wiring
from hotline.settings_file import DEMO, build
from speech.ears.whisper import Recogniser
from tests import ear_proxy
from tests.asterisk_instance import AsteriskInstance
from tests.ear_proxy import BY_SOUND, FLOOR, PHONES
from tests.phone import PhoneFailed

EACH = 10
HOLES = 2  # sentences of all that a machine full of other calls may lose three times


def test_a_listener_is_measured_by_words_and_in_chinese_by_characters() -> None:
    assert ear_proxy.understood("Marque 1, por favor.", "marque uno por favor", "es") == 1
    assert ear_proxy.understood("Press 1 or 2.", "press one", "en") == 0.5
    assert ear_proxy.understood("请按1，谢谢您。", "請按一謝謝您", "zh-CN") == 1, "traditional characters"
    assert ear_proxy.understood("请按1，谢谢您。", "请暗一谢谢宁", "zh-CN") == pytest.approx(4 / 6)
    assert ear_proxy.understood("请按1，谢谢您。", "请暗一谢谢宁", "zh-CN", by_sound=True) == 5 / 6
    assert ear_proxy.understood("一共23分钟，等着。", "一共二十三分鐘等著", "zh-CN") == 1
    assert ear_proxy.understood("Sí.", "y esto es otra cosa", "es") == 0


def test_the_benchmark_fails_where_it_hears_too_little_or_leaves_a_prompt_out() -> None:
    floor = FLOOR["es"]
    assert missed("es", [0.9, 0.8], [1.0], floor).kept
    assert not missed("es", [0.9, 0.3], [1.0], floor).kept
    assert not missed("es", [], [], floor).kept, "nothing was heard"
    assert left_out(253, 253, partial=False).kept
    assert not left_out(252, 253, partial=False).kept
    assert left_out(252, 253, partial=True).kept


@pytest.mark.asterisk
@pytest.mark.covers("H11")
async def test_a_sample_of_prompts_is_understood_over_a_call(asterisk: AsteriskInstance, whisper_model: Path) -> None:
    words = wiring.words(build(DEMO))
    sentences = [one for language in PHONES for one in await ear_proxy.rendered(words, language, EACH)]
    heard = await ear_proxy.heard(asterisk, sentences)
    for _ in range(2):  # a machine full of other calls loses some on their way
        heard |= await ear_proxy.heard(asterisk, [one for one in sentences if one not in heard])
    lost = [one.key for one in sentences if one not in heard]
    if len(lost) > HOLES:
        raise PhoneFailed(f"sound with holes: {lost} were not heard")
    recogniser = await asyncio.to_thread(Recogniser, whisper_model)
    for language, floor in FLOOR.items():
        shares, sounds = {}, {}
        for one in sentences:
            if one.language == language and one in heard:
                text = await asyncio.to_thread(ear_proxy.written, recogniser, heard[one], language)
                shares[one.key] = ear_proxy.understood(one.text, text, language)
                sounds[one.key] = ear_proxy.understood(one.text, text, language, by_sound=True)
        assert len(shares) >= EACH - len(lost)
        for found, enough in ((shares, floor), (sounds, BY_SOUND.get(language, floor))):
            if statistics.mean(found.values()) < enough:  # a second time, and it is not the machine
                raise PhoneFailed(f"sound with holes, or not understood in {language}: {found}")
    await asterisk.no_channels()
