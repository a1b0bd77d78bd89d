"""What a caller hears who is put through, and who comes back; names are an operator's own, in any language."""

from phone_bridge.call.commands import Line
from phone_bridge.call.words import clean

ANYBODY = "anyone"
"""The name of the target that stands for no one in particular, and is never said."""

SENTENCES = {
    "en": {
        "connecting": "Please stay on the line, I am putting you through to {}.",
        "connecting.anybody": "Please stay on the line, I am putting you through.",
        "no_answer": "Nobody at {} picked up. I am with you again. What would you like to do instead?",
        "busy": "The line of {} is busy. I am with you again. What would you like to do instead?",
        "refused": "{} cannot take your call now. I am with you again. What would you like to do instead?",
        "failed": "I could not reach {}. I am with you again. What would you like to do instead?",
        "completed": "You are with {} now.",
        "anybody": "that number",
    },
    "de": {
        "connecting": "Bitte bleiben Sie am Apparat, ich verbinde Sie mit: {}.",
        "connecting.anybody": "Bitte bleiben Sie am Apparat, ich verbinde Sie.",
        "no_answer": "{}: Dort hat niemand abgenommen. Ich bin wieder für Sie da. Was möchten Sie stattdessen tun?",
        "busy": "{}: Dort ist besetzt. Ich bin wieder für Sie da. Was möchten Sie stattdessen tun?",
        "refused": "{}: Dort kann gerade niemand sprechen. Ich bin wieder da. Was möchten Sie stattdessen tun?",
        "failed": "{}: Dort ist niemand erreichbar. Ich bin wieder für Sie da. Was möchten Sie stattdessen tun?",
        "completed": "Sie sprechen jetzt mit: {}.",
        "anybody": "Diese Nummer",
    },
    "es": {
        "connecting": "No cuelgue, por favor. Le paso con {}.",
        "connecting.anybody": "No cuelgue, por favor. Le paso la llamada.",
        "no_answer": "Nadie ha contestado en {}. Vuelvo a estar con usted. ¿Qué quiere hacer?",
        "busy": "La línea de {} está ocupada. Vuelvo a estar con usted. ¿Qué quiere hacer?",
        "refused": "{} no puede atenderle ahora. Vuelvo a estar con usted. ¿Qué quiere hacer?",
        "failed": "No he podido comunicarme con {}. Vuelvo a estar con usted. ¿Qué quiere hacer?",
        "completed": "Ahora habla con {}.",
        "anybody": "ese número",
    },
    "fr": {
        "connecting": "Ne quittez pas, je vous passe {}.",
        "connecting.anybody": "Ne quittez pas, je transfère votre appel.",
        "no_answer": "Personne n'a répondu : {}. Je suis de nouveau avec vous. Que souhaitez-vous faire ?",
        "busy": "La ligne est occupée : {}. Je suis de nouveau avec vous. Que souhaitez-vous faire ?",
        "refused": "{} ne peut pas vous répondre. Je suis de nouveau avec vous. Que souhaitez-vous faire ?",
        "failed": "Impossible de joindre {}. Je suis de nouveau avec vous. Que souhaitez-vous faire ?",
        "completed": "Vous êtes maintenant en communication avec {}.",
        "anybody": "ce numéro",
    },
}
"""By language, then by what has happened; ``{}`` is to whom."""


def connecting(name: str, language: str) -> Line:
    """Say that the caller is put through to ``name``; empty for a number that has none."""
    key = "connecting" if _is_said(name) else "connecting.anybody"
    return Line("transfer.own", _table(language)[key].format(clean.phrase(name)))


def came_of_it(outcome: str, name: str, language: str) -> str:
    """Say what came of a transfer to a caller who is back, or who is with another assistant (``completed``)."""
    table = _table(language)
    said = table[outcome].format(clean.phrase(name) if _is_said(name) else table["anybody"])
    return said[:1].upper() + said[1:]


def _is_said(name: str) -> bool:
    return clean.has_content(name) and name.lower() != ANYBODY


def _table(language: str) -> dict[str, str]:
    return SENTENCES.get(language.partition("-")[0].lower(), SENTENCES["en"])
