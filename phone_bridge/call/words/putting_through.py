"""What a caller hears who asks for a person, and has to be asked for whom; names are an operator's own."""

from collections.abc import Sequence

from phone_bridge.call.commands import Line
from phone_bridge.call.words import clean

SENTENCES = {
    "en": {
        "which": "I can put you through to: {}. Whom would you like to speak to?",
        "choice": "{}, press {}",
        "only": "I can put you through to {}. Press 1 or say yes, and I will.",
        "failed": "I cannot put you through at the moment. What would you like to do instead?",
    },
    "de": {
        "which": "Ich kann Sie verbinden mit: {}. Mit wem möchten Sie sprechen?",
        "choice": "{}, Taste {}",
        "only": "Ich kann Sie verbinden mit: {}. Drücken Sie die 1 oder sagen Sie ja, dann verbinde ich Sie.",
        "failed": "Ich kann Sie gerade nicht verbinden. Was möchten Sie stattdessen tun?",
    },
    "es": {
        "which": "Puedo pasarle con: {}. ¿Con quién quiere hablar?",
        "choice": "{}, pulse {}",
        "only": "Puedo pasarle con {}. Pulse 1 o diga sí, y le paso la llamada.",
        "failed": "Ahora no puedo pasarle la llamada. ¿Qué quiere hacer?",
    },
    "fr": {
        "which": "Je peux vous passer : {}. À qui souhaitez-vous parler ?",
        "choice": "{}, tapez {}",
        "only": "Je peux vous passer : {}. Tapez 1 ou dites oui, et je transfère votre appel.",
        "failed": "Je ne peux pas transférer votre appel pour le moment. Que souhaitez-vous faire ?",
    },
}
"""By language, then by what there is to say; ``{}`` is whom there is."""


def whom(names: Sequence[str], language: str) -> Line:
    """Ask which of ``names`` it shall be, each with its key; of one alone, whether it shall."""
    table = _table(language)
    if len(names) == 1:
        return Line("transfer_only.own", table["only"].format(clean.phrase(names[0])))
    choices = (table["choice"].format(clean.phrase(name), key) for key, name in enumerate(names, 1))
    return Line("transfer_which.own", table["which"].format("; ".join(choices)))


def failed(language: str) -> Line:
    """Say that nobody can be rung, and the caller stays where they are."""
    return Line("transfer_failed", _table(language)["failed"])


def _table(language: str) -> dict[str, str]:
    return SENTENCES.get(language.partition("-")[0].lower(), SENTENCES["en"])
