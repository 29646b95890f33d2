"""The phone of the tests is itself tested: it must know a prompt, and must not take one for another."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from tests import listening
from tests.asterisk_instance import SPOKEN, AsteriskInstance, network
from tests.phone import CallRefused, Phone, PhoneFailed

pytestmark = pytest.mark.asterisk

LINE_NOISE = 12.0


def over_the_line(sound: listening.Samples, before: float = 0.7) -> listening.Samples:
    """What a telephone line makes of a prompt: µ-law steps, noise, and a wait before it."""
    generator = np.random.default_rng(20)
    companded = np.sign(sound) * np.log1p(255 * np.abs(sound) / 32768) / np.log(256)
    coarse = np.round(companded * 127) / 127
    heard = np.sign(coarse) * (256 ** np.abs(coarse) - 1) / 255 * 32768
    silence = np.zeros(int(before * listening.RATE))
    line = np.concatenate([silence, heard, silence])
    return (line + generator.normal(0, LINE_NOISE, len(line))).astype(np.float32)


def test_each_prompt_is_found_in_itself_and_in_no_other(static_sounds: Path) -> None:
    files = {
        (language, key): static_sounds / language / "static" / f"{key}.sln16"
        for language, prompts in SPOKEN.items()
        for key in prompts
    }
    heard = {name: over_the_line(listening.prompt(path)) for name, path in files.items()}
    for played, wanted in itertools.product(files, files):
        match = listening.find(heard[played], listening.prompt(files[wanted]))
        assert (match is not None) == (played == wanted), f"{played} was played, {wanted} was looked for"
        if match is not None:
            assert abs(match.start / listening.RATE - 0.7) < 0.02


def test_a_prompt_with_a_frame_lost_is_still_found(static_sounds: Path) -> None:
    sound = listening.prompt(static_sounds / "es" / "static" / "emergency.sln16")
    heard = over_the_line(sound)
    middle = len(heard) // 2
    damaged = np.concatenate([heard[:middle], heard[middle + 160 :]])
    assert listening.find(damaged, sound) is not None


def test_silence_and_noise_are_no_prompt(static_sounds: Path) -> None:
    sound = listening.prompt(static_sounds / "en" / "static" / "apology.sln16")
    noise = np.random.default_rng(3).normal(0, 3000, 10 * listening.RATE).astype(np.float32)
    assert listening.find(noise, sound) is None
    assert listening.find(np.zeros(10 * listening.RATE, dtype=np.float32), sound) is None
    assert listening.find(np.zeros(0, dtype=np.float32), sound) is None


async def test_a_phone_hears_the_notice_and_not_another(asterisk: AsteriskInstance) -> None:
    async with await asterisk.phone("lucia") as lucia:
        await lucia.dials("112")
        began = await lucia.hears(asterisk.sound("emergency", "es"))
        assert 0.1 < began < 1.5
        assert await lucia.hung_up() == 200
        with pytest.raises(PhoneFailed, match=r"did not hear apology\.sln16"):
            await lucia.hears(asterisk.sound("apology", "es"), within=1)
    await asterisk.no_channels()


async def test_two_phones_talk(asterisk: AsteriskInstance) -> None:
    async with await asterisk.phone("ana") as ana, await asterisk.phone("tom") as tom:
        await ana.dials(asterisk.account("tom").extension, answered=False)
        assert asterisk.account("ana").extension in await tom.rings()
        await ana.hears_ringback()
        await tom.answers()
        await ana.speaks(asterisk.sound("please_wait"))
        await tom.hears(asterisk.sound("please_wait"))
        await tom.speaks(asterisk.sound("goodbye"))
        await ana.hears(asterisk.sound("goodbye"))
        await ana.hears_nothing(during=0.5)
        await ana.presses("12*#")
        await tom.until_pressed("12*#")
        await tom.hangs_up()
        await ana.hung_up()
        assert not ana.is_talking
    await asterisk.no_channels()


async def test_a_phone_that_rejects_says_busy(asterisk: AsteriskInstance) -> None:
    async with await asterisk.phone("ana") as ana, await asterisk.phone("tom") as tom:
        await ana.dials(asterisk.account("tom").extension, answered=False)
        await tom.rings()
        await tom.rejects(486)
        assert await ana.hung_up() == 486


async def test_a_wrong_password_does_not_register(asterisk: AsteriskInstance) -> None:
    with pytest.raises(PhoneFailed, match=r"refused at registration: 40[13]"):
        await Phone.start(address=f"{network()}.39", server=asterisk.address, username="ana", secret="not-the-secret-0")


async def test_a_phone_calls_again_after_a_refusal(asterisk: AsteriskInstance) -> None:
    async with await asterisk.phone("ruth") as ruth:
        with pytest.raises(CallRefused, match="404"):
            await ruth.dials("999")
        await ruth.dials("112")
        await ruth.hears(asterisk.sound("emergency"))
        await ruth.hangs_up()
