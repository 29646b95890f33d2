"""Who picks up a call of ours, as labelled sound: people, machines that take messages, networks that announce, faxes.

Generated, never kept: voices are espeak-ng's, or natural ones for the benchmark; everything goes over a telephone line
(300 to 3400 Hz, noise, µ-law, 8 kHz)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tests.phone_audio import RATE, line

Samples = NDArray[np.float32]
Speak = Callable[[str, str], Samples]
"""(language, words) → speech at 8 kHz, as loud as `LOUDNESS`."""


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def tone(hz: float, seconds: float, level: float = 0.15) -> Samples:
    return np.asarray(level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE), np.float32)


def answer_tone(seconds: float, reversals: bool) -> Samples:
    """A fax that answers: 2100 Hz (ITU-T V.25), its phase reversed every 450 ms where it disables echo cancellers."""
    sound = tone(2100, seconds)
    return np.where((np.arange(len(sound)) // round(0.45 * RATE)) % 2, -sound, sound) if reversals else sound


def no_service() -> Samples:
    """The three tones before a network's announcement (ITU-T E.180)."""
    return np.concatenate([tone(hz, 0.33) for hz in (950, 1400, 1800)])


def repeated(sound: Samples, times: int, pause_s: float) -> Samples:
    return np.concatenate([np.concatenate((sound, silence(pause_s))) for _ in range(times)])


@dataclass(frozen=True)
class Pickup:
    """`parts`: words, or sound. `room`: words of somebody on television all the while, so many dB fainter."""

    name: str
    who: Literal["person", "machine", "fax"]
    language: str
    parts: tuple[str | Samples, ...] = field(repr=False)
    room: tuple[str, float] | None = None

    def sound(self, speak: Speak, noise_db: float = 25.0) -> bytes:
        """What arrives, with four seconds of line after it."""
        whole = [speak(self.language, part) if isinstance(part, str) else part for part in self.parts]
        heard = np.concatenate([*whole, silence(4)])
        if self.room is not None:
            words, below = self.room
            heard = heard + np.resize(speak(self.language, words), len(heard)) * np.float32(10 ** (-below / 20))
        return line(np.asarray(heard, np.float32), noise_db)


NEWS = {
    "es": "El consejo aprobó ayer el presupuesto del año, que prevé nuevas carreteras y dos puentes sobre el río.",
    "en": "The council passed the budget yesterday, which provides for new roads and two bridges over the river.",
    "pt-BR": "O conselho aprovou ontem o orçamento do próximo ano, que prevê novas estradas e duas pontes sobre o rio.",
    "zh-CN": "市议会昨天通过了明年的预算，计划修建新的道路和两座跨河大桥。",
}
HELLO = {"es": "¿Aló?", "en": "Hello, this is Ruth.", "pt-BR": "Alô?", "zh-CN": "喂，你好。"}
AGAIN = {"es": "¿Aló? ¿Quién es?", "en": "Hello? Who is there?", "pt-BR": "Alô? Quem é?", "zh-CN": "喂？您是哪位？"}
LONG_HELLO = {
    "es": "Buenas tardes, habla Lucía Fernández, ¿con quién tengo el gusto?",
    "en": "Good afternoon, Ruth Henderson speaking. Who is calling, please?",
    "pt-BR": "Alô, boa tarde, aqui é o João. Quem está falando, por favor?",
    "zh-CN": "喂，你好，我是小梅，请问您是哪位？",
}
TALKATIVE = {
    "es": "¿Aló? Sí, dígame, perdone, estaba en el jardín y tardé un poco en llegar al teléfono, ¿quién habla?",
    "en": "Hello? Yes, hello, sorry, I was out in the garden and it took me a while to get to the phone. Who is it?",
    "pt-BR": "Alô? Sim, pode falar, desculpe, eu estava no jardim e demorei para chegar ao telefone. Quem fala?",
    "zh-CN": "喂？不好意思，我刚才在院子里，请问您是哪位？",
}
SLOWLY = {
    "es": ("Sí", "dígame", "no le oigo bien"),
    "en": ("Yes", "hello", "I can't hear you well"),
    "pt-BR": ("Sim", "pode falar", "não estou ouvindo bem"),
    "zh-CN": ("喂", "哪位", "我听不清楚"),
}
SHORT = {
    "es": "Soy Lucía. Deje su mensaje.",
    "en": "Hi, it's Ruth. Leave a message.",
    "pt-BR": "É o João. Deixe o seu recado.",
    "zh-CN": "我是小梅，请留言。",
}
GREETING = {
    "es": "Hola, ha llamado a Lucía Fernández. Ahora no puedo atenderle. Por favor, deje su nombre y su número después "
    "de la señal y le llamaré en cuanto pueda.",
    "en": "Hello, you have reached Ruth Henderson. I can't come to the phone right now. Please leave your name and "
    "number after the tone and I will call you back as soon as I can.",
    "pt-BR": "Olá, você ligou para João Silva. No momento não posso atender. Por favor, deixe seu nome e seu número "
    "após o sinal e eu retorno assim que puder.",
    "zh-CN": "您好，这里是小梅的电话。我现在不方便接听。请在提示音后留下您的姓名和电话号码，我会尽快给您回电话。",
}
BOX = {
    "es": "Ha sido transferido al buzón de mensajes. Grabe su mensaje después del tono.",
    "en": "Your call has been forwarded to an automatic voice message system. At the tone, please record your message.",
    "pt-BR": "Sua chamada está sendo encaminhada para a caixa postal. Grave o seu recado após o sinal.",
    "zh-CN": "您的呼叫已转入语音信箱，请在滴声后留言。",
}
UNAVAILABLE = {
    "es": "El número que usted marcó no está disponible en este momento. Por favor, intente su llamada más tarde. "
    "El número que usted marcó no está disponible en este momento. Por favor, intente su llamada más tarde.",
    "en": "The person you are calling is not available at the moment. Please try your call again later. "
    "The person you are calling is not available at the moment. Please try your call again later.",
    "pt-BR": "O número chamado está desligado ou fora da área de cobertura. Por favor, tente novamente mais tarde. "
    "O número chamado está desligado ou fora da área de cobertura. Por favor, tente novamente mais tarde.",
    "zh-CN": "您拨打的用户暂时无法接通，请稍后再拨。" * 3,
}
BEEPS = {"es": (1000, 0.25), "en": (1400, 0.4), "pt-BR": (440, 0.5), "zh-CN": (800, 0.15)}
LOW, HIGH = (425, 0.2), (2000, 0.12)
LANGUAGES = tuple(HELLO)


def of(language: str) -> list[Pickup]:
    """All that may pick up in a language."""
    hello, beep = HELLO[language], tone(*BEEPS[language])
    slow = SLOWLY[language]

    def person(name: str, *parts: str | Samples, room: float | None = None) -> Pickup:
        return Pickup(name, "person", language, parts, (NEWS[language], room) if room is not None else None)

    def machine(name: str, *parts: str | Samples) -> Pickup:
        return Pickup(name, "machine", language, parts)

    return [
        person("says hello", silence(0.4), hello),
        person("says hello at once, and again", hello, silence(1.8), AGAIN[language]),
        person("greets for long", silence(0.6), LONG_HELLO[language]),
        person("is slow to speak", silence(3), hello),
        person("speaks slowly", silence(1), slow[0], silence(1.2), slow[1], silence(0.9), slow[2]),
        person("talks over us", silence(0.4), TALKATIVE[language]),
        person("has television on", silence(0.8), hello, silence(8), room=18),
        person("has television on and is slow", silence(4), hello, silence(6), room=24),
        person("has a microwave oven", silence(0.5), hello, silence(0.8), repeated(tone(2000, 0.3), 3, 0.7)),
        person("says nothing", silence(6)),
        machine("short greeting", silence(0.5), SHORT[language], silence(0.3), beep),
        machine("greeting", silence(0.3), GREETING[language], silence(0.5), beep),
        machine("greeting after a wait, low beep", silence(2), GREETING[language], silence(0.8), tone(*LOW)),
        machine("long greeting", silence(0.3), f"{GREETING[language]} {GREETING[language]}", silence(1.2), tone(*HIGH)),
        machine("the network's box", silence(0.8), BOX[language], silence(1.2), beep),
        machine("not available", silence(0.2), no_service(), silence(0.2), UNAVAILABLE[language]),
        machine("not available, without tones", silence(0.5), UNAVAILABLE[language]),
    ]


def faxes() -> list[Pickup]:
    return [
        Pickup("a fax that answers", "fax", "en", (silence(1), answer_tone(3.0, reversals=False))),
        Pickup("a fax that switches echo cancellers off", "fax", "en", (silence(1), answer_tone(3.3, reversals=True))),
        Pickup("a fax that calls", "fax", "en", (silence(0.5), repeated(tone(1100, 0.5), 3, 3.0))),
    ]


ECHO = 0.06  # of our prompt that comes back: a hybrid's 24 dB
ECHO_S = 0.08


def over_our_prompt(heard: bytes, ours: bytes) -> bytes:
    """The same with our own prompt coming back in it."""
    sound = np.frombuffer(heard, "<i2").astype(np.float32)
    back = np.concatenate((silence(ECHO_S), np.frombuffer(ours, "<i2").astype(np.float32) * ECHO))
    sound[: len(back)] += back[: len(sound)]
    return bytes(np.clip(sound, -32768, 32767).astype("<i2").tobytes())
