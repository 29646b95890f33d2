"""Many phrases at once are as probable as CTranslate2 finds them one by one: with the real model."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soxr  # type: ignore[import-untyped]

from speech.ears.whisper_decoder import Decoder, Tokens
from tests.phone_audio import RATE, said

SAID = "speak to a person"
PHRASES = (SAID, "speak to someone", "no", "no thank you", "cucumber")


def test_phrases_are_as_probable_together_as_ctranslate2_finds_them_alone(whisper_model: Path) -> None:
    import ctranslate2
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer

    model = WhisperModel(str(whisper_model), device="cpu", compute_type="float32", local_files_only=True)
    tokenizer = Tokenizer(model.hf_tokenizer, True, task="transcribe", language="en")
    start = list(tokenizer.sot_sequence)
    wide = soxr.resample(np.frombuffer(said(SAID, "en-us+m3", 25.0), "<i2").astype(np.float32) / 32768, RATE, 16_000)
    window = np.pad(wide, (0, 48_000 - len(wide)))
    encoded = model.encode(model.feature_extractor(window, padding=0)[:, :300])
    texts: list[Tokens] = [tuple(tokenizer.encode(" " + phrase)) for phrase in PHRASES]

    many = ctranslate2.StorageView.from_array(np.ascontiguousarray(np.repeat(np.array(encoded), len(texts), 0)))
    found = model.model.align(many, start, [list(text) for text in texts], [300] * len(texts))
    theirs = [np.log(np.array(each.text_token_probs)) for each in found]
    decoder = Decoder(whisper_model, tokenizer.eot)
    # `align` adds by itself that there are no timestamps.
    sound, nothing = decoder.keep(np.array(encoded)[0]), decoder.keep(np.zeros_like(np.array(encoded)[0]))
    ours, _ = decoder.chances([*start, tokenizer.no_timestamps], (sound, texts), (nothing, texts[:2]))

    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=0.05)


def test_a_model_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(struct.pack("<I", 99))
    with pytest.raises(ValueError, match="version 99; this reads 6"):
        Decoder(tmp_path, 50257)

    def text(words: str) -> bytes:
        return struct.pack("<H", len(words) + 1) + words.encode() + b"\0"

    array = text("decoder/embeddings/weight") + struct.pack("<B2IBI", 2, 2, 2, 1, 4) + bytes(4)
    (tmp_path / "model.bin").write_bytes(struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, 1) + array)
    with pytest.raises(ValueError, match="weights of 8 bits: convert the model with --quantization float16"):
        Decoder(tmp_path, 50257)
