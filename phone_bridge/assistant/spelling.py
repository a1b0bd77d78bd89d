"""From the phonetic alphabet (IPA, as espeak-ng writes American English) to ARPABET, the phones of the ear's model."""

# ruff: noqa: RUF001 - the letters of the phonetic alphabet are meant

_PHONES = {
    "aɪə": "AY AH", "aɪɚ": "AY ER", "tʃ": "CH", "dʒ": "JH", "aɪ": "AY", "aʊ": "AW", "eɪ": "EY", "oʊ": "OW", "əʊ": "OW",
    "ɔɪ": "OY", "ɑːɹ": "AA R", "ɔːɹ": "AO R", "oːɹ": "AO R", "ɛɹ": "EH R", "ɪɹ": "IH R", "ʊɹ": "UH R", "ɜː": "ER",
    "ɚ": "ER", "əl": "AH L", "iː": "IY", "uː": "UW", "ɑː": "AA", "ɔː": "AO", "oː": "AO", "ɐ": "AH", "ʌ": "AH",
    "ə": "AH",
    "ᵻ": "IH", "ɪ": "IH", "i": "IY", "ʊ": "UH", "u": "UW", "ɛ": "EH", "e": "EH", "æ": "AE", "a": "AA", "ɑ": "AA",
    "ɒ": "AA", "ɔ": "AO", "o": "OW", "y": "UW", "ø": "ER", "p": "P", "b": "B", "t": "T", "d": "D", "ɾ": "T", "ʔ": "T",
    "k": "K", "ɡ": "G", "g": "G", "f": "F", "v": "V", "θ": "TH", "ð": "DH", "s": "S", "z": "Z", "ʃ": "SH", "ʒ": "ZH",
    "h": "HH", "x": "K", "ç": "HH", "m": "M", "n": "N", "ŋ": "NG", "l": "L", "ɫ": "L", "ɬ": "L", "ɹ": "R", "r": "R",
    "w": "W", "j": "Y",
}  # fmt: skip
_LONGEST = max(map(len, _PHONES))


def arpabet(ipa: str) -> str:
    """Write ``ipa`` in ARPABET; stress and signs that have no phone are passed over, so it may be empty."""
    plain = ipa.replace("ˈ", "").replace("ˌ", "")
    phones: list[str] = []
    at = 0
    while at < len(plain):
        size = next((n for n in range(_LONGEST, 0, -1) if plain[at : at + n] in _PHONES), 0)
        if size:
            phones.append(_PHONES[plain[at : at + size]])
        at += size or 1
    return " ".join(phones)
