"""What callees say to an errand, by language.

The assistant's other words are found anywhere in an utterance, so each is long enough to mean nothing else. French
counts by "septante" and "nonante" in Belgium; Spanish rings by "marcar" and "hablar" as well as "llamar" in Mexico.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec


class ErrandWords(msgspec.Struct, frozen=True):
    """One language's words: what is looked for anywhere in what was said; ``got_it`` is all that was said.

    ``begins`` is how a span of time begins that says by itself when to call again, ``spans`` are spans in minutes.
    ``farewells`` are left out of what was said: "see you later" asks for no later call.
    """

    stop: tuple[str, ...]
    later: tuple[str, ...]
    assistant: tuple[str, ...]
    repeat: tuple[str, ...]
    got_it: frozenset[str]
    screening: tuple[str, ...]
    begins: tuple[str, ...]
    spans: Mapping[str, int]
    units: Mapping[str, int]
    numbers: Mapping[str, int]
    farewells: tuple[str, ...]


_ENGLISH = ErrandWords(
    stop=("stop calling", "do not call", "don't call", "no more calls", "never call", "remove me", "take me off"),
    later=("later", "not now", "call me back", "call back", "call again", "call me again", "remind me again", "snooze"),
    assistant=("assistant", "talk to", "speak to", "speak with", "my calendar"),
    repeat=("repeat", "say that again", "say it again", "once more", "pardon"),
    got_it=frozenset(
        {
            "okay",
            "ok",
            "alright",
            "got it",
            "i got it",
            "thanks",
            "thank you",
            "okay thanks",
            "okay thank you",
            "thanks got it",
        }
    ),
    screening=(
        "who is calling",
        "who's calling",
        "state your name",
        "say your name",
        "record your name",
        "your name and",
        "reason for calling",
        "reason for your call",
        "why you're calling",
        "why you are calling",
        "screening service",
        "screening this call",
        "using a screening",
        "may i ask who",
        "who am i speaking",
        "who is this",
    ),
    begins=("in ", "tomorrow"),
    spans=MappingProxyType(
        {"half an hour": 30, "quarter of an hour": 15, "an hour": 60, "a few minutes": 5, "tomorrow": 1_440}
    ),
    units=MappingProxyType({"minute": 1, "minutes": 1, "hour": 60, "hours": 60, "day": 1_440, "days": 1_440}),
    numbers=MappingProxyType(
        {
            "one": 1,
            "two": 2,
            "three": 3,
            "four": 4,
            "five": 5,
            "six": 6,
            "seven": 7,
            "eight": 8,
            "nine": 9,
            "ten": 10,
            "fifteen": 15,
            "twenty": 20,
            "thirty": 30,
            "forty": 40,
            "forty five": 45,
            "fifty": 50,
            "sixty": 60,
            "ninety": 90,
        }
    ),
    farewells=(
        "see you later",
        "talk to you later",
        "speak to you later",
        "talk later",
        "catch you later",
        "until later",
    ),
)

_GERMAN = ErrandWords(
    stop=("nicht mehr anrufen", "nie wieder", "keine anrufe", "rufen sie nicht", "ruf nicht", "rufen sie mich nicht"),
    later=("später", "nicht jetzt", "noch einmal anrufen", "wieder anrufen", "zurückrufen", "ruf mich"),
    assistant=("assistent", "assistenten", "assistentin", "sprechen mit", "meinen kalender"),
    repeat=("wiederholen", "noch einmal bitte", "nochmal bitte", "wie bitte"),
    got_it=frozenset(
        {"okay", "verstanden", "habe verstanden", "danke", "vielen dank", "danke schön", "ist gut", "alles klar"}
    ),
    screening=(
        "wer ist da",
        "wer spricht",
        "wer ruft an",
        "nennen sie ihren namen",
        "ihren namen und",
        "grund ihres anrufs",
        "grund des anrufs",
        "mit wem spreche",
    ),
    begins=("in ", "morgen"),
    spans=MappingProxyType(
        {
            "halben stunde": 30,
            "halbe stunde": 30,
            "viertelstunde": 15,
            "einer stunde": 60,
            "eine stunde": 60,
            "morgen": 1_440,
        }
    ),
    units=MappingProxyType({"minute": 1, "minuten": 1, "stunde": 60, "stunden": 60, "tage": 1_440, "tagen": 1_440}),
    numbers=MappingProxyType(
        {
            "eine": 1,
            "einer": 1,
            "zwei": 2,
            "drei": 3,
            "vier": 4,
            "fünf": 5,
            "sechs": 6,
            "sieben": 7,
            "acht": 8,
            "neun": 9,
            "zehn": 10,
            "fünfzehn": 15,
            "zwanzig": 20,
            "dreißig": 30,
            "vierzig": 40,
            "fünfundvierzig": 45,
            "fünfzig": 50,
            "sechzig": 60,
        }
    ),
    farewells=("bis später", "bis dann", "bis nachher"),
)

_SPANISH = ErrandWords(
    stop=(
        *(
            "no me llame más",
            "no me llames más",
            "no me llamen más",
        ),
        *("no vuelva a llamar", "no vuelvan a llamar", "no vuelvas a llamar", "no me vuelva a llamar"),
        *("no me vuelvan a llamar", "no quiero más llamadas", "no más llamadas", "ni una llamada más"),
        *("deje de llamar", "dejen de llamar", "deja de llamar", "deje de llamarme", "dejen de llamarme"),
        *("deja de llamarme", "quíteme de la lista", "bórreme de la lista", "sáqueme de la lista", "no me llame nunca"),
        *("no me marque más", "no me marquen más", "no me hable más", "nunca me llame", "no me llame", "no me llamen"),
    ),
    later=(
        *("más tarde", "luego", "después", "ahora no", "ahorita no", "en otro momento", "otro rato", "al rato"),
        *("llámeme", "llámame", "llame en", "llame mañana", "vuelva a llamar", "vuelve a llamar", "volver a llamar"),
        *("márqueme", "márcame", "háblame más", "hábleme más", "recuérdemelo", "recuérdamelo", "otra hora"),
    ),
    assistant=(
        *("asistente", "hablar con", "hable con", "comuníqueme", "comunícame", "páseme con", "pásame con"),
        *("mi calendario", "mi agenda"),
    ),
    repeat=(
        *("repita", "repite", "repítalo", "repítelo", "repetir", "otra vez", "una vez más", "de nuevo", "cómo dice"),
        *("perdón", "mande", "no le entendí", "no entendí"),
    ),
    got_it=frozenset(
        {
            *("vale", "okay", "ok", "entendido", "lo entendí", "entendí", "de acuerdo", "gracias", "muchas gracias"),
            *("vale gracias", "ok gracias", "okay gracias", "entendido gracias", "muy bien", "está bien", "perfecto"),
            *(
                "muy bien gracias",
                "está bien gracias",
                "perfecto gracias",
                "listo",
                "listo gracias",
                "enterado",
                "enterada",
            ),
            *(
                "ya lo sé",
                "bueno gracias",
                "de acuerdo gracias",
                "órale",
            ),
        }
    ),
    screening=(
        *("quién llama", "quién habla", "quién es usted", "de parte de quién", "con quién hablo", "quién eres"),
        *("diga su nombre", "indique su nombre", "grabe su nombre", "su nombre y", "motivo de su llamada"),
        *("motivo de la llamada", "por qué llama", "para qué llama", "asunto de su llamada", "filtrando esta llamada"),
        *("filtro de llamadas", "filtrado de llamadas", "a quién tengo el gusto", "con quién tengo el gusto"),
    ),
    begins=("en ", "dentro de ", "mañana"),
    spans=MappingProxyType(
        {
            "hora y media": 90,
            "media hora": 30,
            "media horita": 30,
            "tres cuartos de hora": 45,
            "un cuarto de hora": 15,
            "cuarto de hora": 15,
            "una hora": 60,
            "una horita": 60,
            "unos minutos": 5,
            "un par de minutos": 5,
            "un par de horas": 120,
            "un ratito": 15,
            "pasado mañana": 2_880,
            "mañana": 1_440,
        }
    ),
    units=MappingProxyType(
        {"minutos": 1, "minuto": 1, "minutitos": 1, "horas": 60, "hora": 60, "días": 1_440, "día": 1_440}
    ),
    numbers=MappingProxyType(
        {
            "un": 1,
            "una": 1,
            "dos": 2,
            "tres": 3,
            "cuatro": 4,
            "cinco": 5,
            "seis": 6,
            "siete": 7,
            "ocho": 8,
            "nueve": 9,
            "diez": 10,
            "doce": 12,
            "quince": 15,
            "veinte": 20,
            "veinticinco": 25,
            "treinta": 30,
            "cuarenta": 40,
            "cuarenta y cinco": 45,
            "cincuenta": 50,
            "sesenta": 60,
            "setenta": 70,
            "noventa": 90,
        }
    ),
    farewells=("hasta luego", "hasta después", "hasta más tarde", "nos vemos luego", "nos vemos más tarde"),
)

_FRENCH = ErrandWords(
    stop=(
        *(
            "n'appelez plus",
            "ne m'appelez plus",
            "ne me rappelez plus",
            "ne rappelez plus",
        ),
        *("ne m'appelle plus", "n'appelle plus", "plus m'appeler", "plus appeler"),
        *("arrêtez d'appeler", "arrêtez de m'appeler", "arrête d'appeler", "arrête de m'appeler", "plus d'appels"),
        *("plus d'appel", "plus jamais", "ne m'appelez pas", "ne m'appelez jamais", "ne me rappelez pas"),
        *("ne rappelez pas", "n'appelez pas", "retirez moi", "enlevez moi", "cessez d'appeler", "cessez de m'appeler"),
    ),
    later=(
        *(
            "plus tard",
            "pas maintenant",
            "tout à l'heure",
            "tantôt",
            "rappelez",
            "rappelle",
            "rappeler",
            "à un autre moment",
        ),
        *("une autre fois", "un autre moment", "recontactez", "pas tout de suite"),
    ),
    assistant=(*("assistant", "assistante", "parler à", "parler avec", "passez moi", "mon agenda", "mon calendrier"),),
    repeat=(
        *("répétez", "répète", "répéter", "encore une fois", "redites", "une fois de plus", "pardon", "plaît il"),
        *("pas compris", "pas entendu", "comment"),
    ),
    got_it=frozenset(
        {
            *(
                "compris",
                "j'ai compris",
                "j'ai compris merci",
                "bien compris",
                "c'est compris",
                "d'accord",
                "ok",
                "okay",
                "merci",
                "merci bien",
            ),
            *("merci beaucoup", "d'accord merci", "ok merci", "okay merci", "compris merci", "entendu", "bien reçu"),
            *("entendu merci", "c'est noté", "c'est bon", "c'est bon merci", "très bien", "très bien merci", "parfait"),
            *(
                "parfait merci",
                "c'est noté merci",
                "ça marche",
                "ça marche merci",
                "c'est beau",
                "c'est correct",
                "noté",
            ),
        }
    ),
    screening=(
        *("qui est à l'appareil", "qui appelle", "qui êtes vous", "c'est qui", "qui est ce", "c'est de la part de qui"),
        *("de la part de qui", "à qui ai je l'honneur", "qui parle", "dites votre nom", "indiquez votre nom"),
        *("donnez votre nom", "enregistrez votre nom", "votre nom et", "motif de votre appel", "raison de votre appel"),
        *(
            "objet de votre appel",
            "motif de l'appel",
            "raison de l'appel",
            "pourquoi vous appelez",
            "filtrage d'appels",
        ),
        *("filtre cet appel", "c'est à quel sujet"),
    ),
    begins=("dans ", "d'ici ", "demain"),
    spans=MappingProxyType(
        {
            "heure et demie": 90,
            "demi heure": 30,
            "trois quarts d'heure": 45,
            "quart d'heure": 15,
            "une heure": 60,
            "une petite heure": 60,
            "quelques minutes": 5,
            "un petit moment": 15,
            "après demain": 2_880,
            "demain": 1_440,
        }
    ),
    units=MappingProxyType({"minutes": 1, "minute": 1, "heures": 60, "heure": 60, "jours": 1_440, "jour": 1_440}),
    numbers=MappingProxyType(
        {
            "un": 1,
            "une": 1,
            "deux": 2,
            "trois": 3,
            "quatre": 4,
            "cinq": 5,
            "six": 6,
            "sept": 7,
            "huit": 8,
            "neuf": 9,
            "dix": 10,
            "douze": 12,
            "quinze": 15,
            "vingt": 20,
            "vingt cinq": 25,
            "trente": 30,
            "quarante": 40,
            "quarante cinq": 45,
            "cinquante": 50,
            "soixante": 60,
            "soixante dix": 70,
            "septante": 70,
            "quatre vingt dix": 90,
            "nonante": 90,
        }
    ),
    farewells=("à plus tard", "à tout à l'heure", "à tantôt", "à la prochaine"),
)

LANGUAGES: Mapping[str, ErrandWords] = {"en": _ENGLISH, "de": _GERMAN, "es": _SPANISH, "fr": _FRENCH}
"""The words by language; in any other, English ones are looked for."""
