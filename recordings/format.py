"""The sealed recording: chunks of AES-256-GCM that can be read from the middle and in which no bit can change
unseen.

    offset  bytes
         0      8  magic "HLREC\\r\\n\\x1a"
         8      2  version, 1
        10      2  pairs of peaks for the waveform's picture, 0 if none          (numbers are big-endian)
        12      4  chunk size: plain bytes in every chunk but the last
        16      8  plain bytes in all: 44 of WAV header and the sound
        24     16  recording id (UUID)
        40      8  nonce prefix, random for each file
        48         chunks, each its ciphertext and a tag of 16 bytes; the last one is shorter
                   then the peaks (int16 smallest and largest, little-endian) and their tag, if there are any

Each file has a key of its own, which is not in it: the catalogue keeps it, wrapped by the site's key. A
chunk's nonce is the prefix and its index (the peaks' is 2³²-1), its associated data the whole header, its
index and whether it is the last. So a chunk that is changed, moved, left out or taken from another file does
not open, nor does one under a changed header; the header says how long the file must be, so that what was cut
off shows at once.

Sources: NIST SP 800-38D (GCM; nonces of 96 bits, section 8.2.1); the construction follows STREAM (Hoang,
Reyhanitabar, Rogaway, Vizár 2015, https://eprint.iacr.org/2015/189). docs/decisions/0007-sealing.md says why
it is our own.
"""

import struct
from dataclasses import dataclass
from uuid import UUID

MAGIC = b"HLREC\r\n\x1a"
VERSION = 1
HEADER = struct.Struct(">8sHHIQ16s8s")
TAG_BYTES = 16
CHUNK_BYTES = 64 * 1024  # 2 s of 16 kHz sound: a jump decrypts little, a tag costs nothing
MOST_CHUNK_BYTES = 16 * 1024 * 1024
PEAK_PAIRS = 600
PEAKS_INDEX = 0xFFFFFFFF
PAIR_BYTES = 4


@dataclass(frozen=True)
class Header:
    """What stands, unencrypted but authenticated, before the chunks."""

    recording_id: UUID
    plain_bytes: int
    pairs: int
    chunk_bytes: int
    prefix: bytes

    @property
    def chunks(self) -> int:
        return max(1, -(-self.plain_bytes // self.chunk_bytes))

    @property
    def peaks_offset(self) -> int:
        return HEADER.size + self.plain_bytes + self.chunks * TAG_BYTES

    @property
    def file_bytes(self) -> int:
        return self.peaks_offset + (self.pairs * PAIR_BYTES + TAG_BYTES if self.pairs else 0)

    def pack(self) -> bytes:
        rest = (self.pairs, self.chunk_bytes, self.plain_bytes, self.recording_id.bytes, self.prefix)
        return HEADER.pack(MAGIC, VERSION, *rest)

    def nonce(self, index: int) -> bytes:
        return self.prefix + struct.pack(">I", index)

    def bound(self, index: int) -> bytes:
        """The associated data of a chunk."""
        return self.pack() + struct.pack(">I?", index, index in (self.chunks - 1, PEAKS_INDEX))
