"""Whisper's decoder, for many phrases at once: how probable is each, given the sound?

CTranslate2 can tell that too (`align`), but it looks at the sound anew for every phrase, and at every beginning that
phrases have in common as often as there are phrases. Here the sound is looked at once and the phrases are one tree, of
which each node sees those above it: two dozen phrases cost a third.

The model: Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), section 2.2; a layer is
self-attention, attention to the sound, and two linear maps with GELU between, each after a normalisation. Its weights
are read from CTranslate2's `model.bin`, version 6: names and arrays, see `ctranslate2/specs/model_spec.py`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Tokens = tuple[int, ...]
Kept = list[tuple[Floats, Floats]]
"""Of each layer, what attention to a sound needs of it: keys and values, heads × frames × 64."""

VERSION = 6
TYPES = {0: "<f4", 1: "i1", 2: "<i2", 3: "<i4", 4: "<f2"}  # by CTranslate2's number
FLOATS = ("<f4", "<f2")
EPSILON = np.float32(1e-5)  # of a normalisation
SQUARE, CUBE = math.sqrt(2 / math.pi), 0.044715  # GELU by its usual approximation, good to 0.001
NOWHERE = np.float32(-1e9)


class Decoder:
    """`folder` has a model.bin with weights of 16 or 32 bits; `ends`: the token that ends a text, behind all that are
    text. Raises `ValueError` for another model, `OSError` for none."""

    def __init__(self, folder: Path, ends: int) -> None:
        self._ends = ends
        self._weights = _weights(folder / "model.bin", "decoder/")
        self._words = np.ascontiguousarray(self._weights.pop("embeddings/weight").T)  # width × tokens
        self._layers = sum(name.endswith("/ffn/linear_0/weight") for name in self._weights)
        self._heads = int(self._weights["num_heads"])

    def keep(self, sound: Floats) -> Kept:
        """`sound`: what the encoder made of it, frames × width."""
        kept = []
        for n in range(self._layers):
            keys, values = np.split(self._linear(f"layer_{n}/attention/linear_1", sound), 2, axis=1)
            kept.append((self._apart(keys), self._apart(values)))
        return kept

    def chances(self, start: Sequence[int], *asked: tuple[Kept, Sequence[Tokens]]) -> list[list[Floats]]:
        """Of each sound and its texts: the log-probability of each token of each text, among all that are text, given
        the sound, `start` and the tokens before it. Sounds that are asked for together read the weights once.
        """
        tree = _Tree()
        ways, heard = [], []
        for kept, texts in asked:
            first = len(tree.tokens)
            trunk = tree.begun(start)
            ways.append([tree.way(trunk, text) for text in texts])
            heard.append((slice(first, len(tree.tokens)), kept))
        following = self._following(tree, heard)
        return [
            [np.array([following[node, token] for node, token in way], np.float32) for way in of_one] for of_one in ways
        ]

    def _following(self, tree: _Tree, heard: list[tuple[slice, Kept]]) -> Floats:
        """Nodes × tokens: the log-probability of each to come next. `heard`: which nodes hear which sound."""
        sees = np.where(tree.sees(), np.float32(0), NOWHERE)
        state = self._words[:, tree.tokens].T + self._weights["position_encodings/encodings"][tree.depths]
        for n in range(self._layers):
            state = state + self._of_words(f"layer_{n}/self_attention", state, sees)
            state = state + self._of_sound(f"layer_{n}/attention", state, [(nodes, kept[n]) for nodes, kept in heard])
            state = state + self._of_itself(f"layer_{n}/ffn", state)
        last = _normalised(state, self._weights["layer_norm/gamma"], self._weights["layer_norm/beta"])
        logits = last @ self._words[:, : self._ends]
        logits -= logits.max(axis=1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return logits

    def _of_words(self, part: str, state: Floats, sees: Floats) -> Floats:
        """What a layer makes of the nodes above."""
        asked, keys, values = np.split(self._linear(f"{part}/linear_0", self._normal(part, state)), 3, axis=1)
        seen = _attention(self._apart(asked), self._apart(keys), self._apart(values), sees)
        return self._linear(f"{part}/linear_1", seen)

    def _of_sound(self, part: str, state: Floats, heard: list[tuple[slice, tuple[Floats, Floats]]]) -> Floats:
        asked = self._apart(self._linear(f"{part}/linear_0", self._normal(part, state)))
        found = [_attention(asked[:, nodes], *sound, np.float32(0)) for nodes, sound in heard]
        return self._linear(f"{part}/linear_2", np.concatenate(found))

    def _of_itself(self, part: str, state: Floats) -> Floats:
        return self._linear(f"{part}/linear_1", _gelu(self._linear(f"{part}/linear_0", self._normal(part, state))))

    def _linear(self, name: str, state: Floats) -> Floats:
        return state @ self._weights[f"{name}/weight"].T + self._weights[f"{name}/bias"]

    def _normal(self, part: str, state: Floats) -> Floats:
        gamma, beta = (self._weights[f"{part}/layer_norm/{name}"] for name in ("gamma", "beta"))
        return _normalised(state, gamma, beta)

    def _apart(self, state: Floats) -> Floats:
        """rows × width → heads × rows × width of a head."""
        return np.ascontiguousarray(state.reshape(len(state), self._heads, -1).swapaxes(0, 1))


class _Tree:
    """For each sound the start in a row, and behind it all texts, beginnings in common once. A text's last token is no
    node: nothing comes after it."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self._above: list[int] = []
        self._known: dict[tuple[int, int], int] = {}

    def begun(self, start: Sequence[int]) -> int:
        """The node behind which the texts of another sound come."""
        above = -1
        for token in start:
            self.tokens.append(token)
            self._above.append(above)
            above = len(self.tokens) - 1
        return above

    def way(self, trunk: int, text: Tokens) -> list[tuple[int, int]]:
        """The nodes that a text comes by, each with the token that follows it."""
        node, found = trunk, []
        for at, token in enumerate(text):
            found.append((node, token))
            if at + 1 < len(text):
                node = self._known.setdefault((node, token), len(self.tokens))
                if node == len(self.tokens):
                    self.tokens.append(token)
                    self._above.append(found[-1][0])
        return found

    @property
    def depths(self) -> list[int]:
        depths: list[int] = []
        for above in self._above:
            depths.append(depths[above] + 1 if above >= 0 else 0)
        return depths

    def sees(self) -> NDArray[np.bool_]:
        """Of each node, whether it sees each other one: itself and those above."""
        found = np.eye(len(self.tokens), dtype=bool)
        for node, above in enumerate(self._above):
            if above >= 0:
                found[node] |= found[above]
        return found


def _attention(asked: Floats, keys: Floats, values: Floats, sees: Floats | np.float32) -> Floats:
    """Heads × rows × width of a head → rows × width. `sees` is added: 0 where a row sees a key, else `NOWHERE`."""
    weights = asked @ keys.swapaxes(1, 2) / np.float32(math.sqrt(asked.shape[-1])) + sees
    weights = np.exp(weights - weights.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    joined: Floats = (weights @ values).swapaxes(0, 1).reshape(asked.shape[1], -1)
    return joined


def _normalised(state: Floats, gamma: Floats, beta: Floats) -> Floats:
    centred = state - state.mean(axis=-1, keepdims=True)
    normal: Floats = centred / np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + EPSILON) * gamma + beta
    return normal


def _gelu(state: Floats) -> Floats:
    found: Floats = (
        np.float32(0.5) * state * (1 + np.tanh(np.float32(SQUARE) * state * (1 + np.float32(CUBE) * state * state)))
    )
    return found


def _weights(path: Path, prefix: str) -> dict[str, Floats]:
    """The model's arrays whose name begins so, by the rest of their names."""
    found: dict[str, Floats] = {}
    with path.open("rb") as file:
        (version,) = _read(file, "<I")
        if version != VERSION:
            raise ValueError(f"{path} is of CTranslate2's version {version}; this reads {VERSION}")
        _text(file)
        _, count = _read(file, "<II")
        for _ in range(count):
            name = _text(file)
            shape = _read(file, f"<{_read(file, '<B')[0]}I")
            kind, size = _read(file, "<BI")
            if name.startswith(prefix):
                if shape and TYPES[kind] not in FLOATS:
                    raise ValueError(f"{path} has weights of 8 bits: convert the model with --quantization float16")
                array = np.frombuffer(file.read(size), TYPES[kind]).reshape(shape)
                found[name.removeprefix(prefix)] = array.astype(np.float32)
            else:
                file.seek(size, 1)
    return found


def _read(file: BinaryIO, form: str) -> tuple[int, ...]:
    return struct.unpack(form, file.read(struct.calcsize(form)))


def _text(file: BinaryIO) -> str:
    return file.read(_read(file, "<H")[0]).rstrip(b"\0").decode()
