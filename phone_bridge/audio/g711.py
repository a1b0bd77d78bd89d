"""G.711, the telephone's companding: mu-law and A-law octets to linear samples of 16 bits and back.

Linear is little-endian. The encoders want whole samples: hold a half sample back with ``frames.Evener``.
Source: ITU-T G.711 (11/88), tables 1 and 2; RFC 3551, 4.5.14.
"""

from phone_bridge.audio._audioop import audioop

_SAMPLE_BYTES = 2


def ulaw_to_linear(ulaw: bytes) -> bytes:
    """Decode mu-law; twice as many bytes come back."""
    return audioop.ulaw2lin(ulaw, _SAMPLE_BYTES)


def linear_to_ulaw(pcm16: bytes) -> bytes:
    """Encode to mu-law; half as many bytes come back."""
    return audioop.lin2ulaw(pcm16, _SAMPLE_BYTES)


def alaw_to_linear(alaw: bytes) -> bytes:
    """Decode A-law; twice as many bytes come back."""
    return audioop.alaw2lin(alaw, _SAMPLE_BYTES)


def linear_to_alaw(pcm16: bytes) -> bytes:
    """Encode to A-law; half as many bytes come back."""
    return audioop.lin2alaw(pcm16, _SAMPLE_BYTES)
