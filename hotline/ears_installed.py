"""Where the models lie that callers' voices are understood with, and which are there. They are in this machine's cache
(`hotline model install`), or where the settings say, or the data folder has them:

ears/whisper/            model.bin, config.json, tokenizer.json, vocabulary.json
ears/vosk/<language>/    am/, conf/, graph/ …  (es, pt-BR, zh-CN, en)
"""

from pathlib import Path

from hotline import models as installed
from hotline.given_models import VOSK
from hotline.places import Places
from hotline.settings import Settings


def models(settings: Settings, here: Places) -> Path:
    """Where the chosen engine's models are looked for first; it need not be there."""
    return whisper(settings, here) if settings.speech.ears == "whisper" else _own(settings, here) / "vosk"


def told(settings: Settings, here: Places) -> str:
    """For `hotline status`: what the settings say, and which models are there."""
    name = settings.speech.ears
    if name == "off":
        return "off: callers answer by key; [speech] ears in the settings"
    found = [f"vosk {language}" for language in vosk(settings, here)] if name == "vosk" else []
    general = whisper(settings, here)
    others = ["whisper"] if general.is_dir() and any(general.iterdir()) else []
    if found or (others and name == "whisper"):
        return ", ".join([*found, *others])
    instead = "whisper answers alone" if others else "callers answer by key"
    return f"{name} is not installed in {models(settings, here)}: {instead}"


def _own(settings: Settings, here: Places) -> Path:
    return (settings.speech.models or here.ears).absolute()


def whisper(settings: Settings, here: Places) -> Path:
    """Where its model is or will be."""
    own = _own(settings, here) / "whisper"
    named = settings.speech.models is not None and (settings.speech.ears == "whisper" or own.is_dir())
    return own if named else installed.folder("whisper-base")


def vosk(settings: Settings, here: Places) -> dict[str, Path]:
    """Language → its model: the site's own before the one in the machine's cache."""
    own = _own(settings, here) / "vosk"
    cached = {language: installed.folder(name) for name, language in VOSK.items()}
    found = {language: folder for language, folder in cached.items() if (folder / "model.json").is_file()}
    found |= {path.name: path for path in own.iterdir()} if own.is_dir() else {}
    return dict(sorted(found.items()))
