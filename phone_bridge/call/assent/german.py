"""German yes and no.

German refuses by its last word ("machen Sie das … nicht"), so such refusals are whole phrases here.
"""

from phone_bridge.call.assent.grammar import Role
from phone_bridge.call.assent.table import table
from phone_bridge.call.words.german import ordinal

_NUMERALS = ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf")
_DATES = {ordinal(day): str(day) for day in range(4, 32)}  # "ersten" to "dritten" name items of a list
_SPELLING = (
    {str(value): word for value, word in enumerate(_NUMERALS)}
    | _DATES
    | {
        "ok": "okay",
        "o k": "okay",
        "zwo": "zwei",
        "ists": "ist es",
        "ist's": "ist es",
        "geht's": "geht es",
        "gehts": "geht es",
        "hab's": "habe es",
        "hab": "habe",
        "wär's": "wäre es",
        "wärs": "wäre es",
        "mach's": "mach es",
        "machs": "mach es",
        "noch mal": "nochmal",
        "noch einmal": "nochmal",
        "stop": "stopp",
        "ne ne": "nee",
        "m hm": "mhm",
        "mm hm": "mhm",
        "mm hmm": "mhm",
        "naja": "na ja",
        "gern": "gerne",
    }
)

_FILLER = "äh, ähm, öh, öhm, hm, hmm, mm, mmm, eh, ehm, em"
_MURMUR = "mhm, mhmm, aha"
_LEAD = "oh, na"
_TURN = "eigentlich, also"
_COURTESY = "bitte, danke, danke schön, dankeschön, danke sehr, vielen dank, herzlichen dank, besten dank, bitte schön"
_REGRET = "entschuldigung, verzeihung, tut mir leid, sorry"

# Not here: "doch" (yes to a no), "eins" (a time; the key is under the thumb), "schon", "eben".
_YES = """
ja, jawohl, jawoll, jo, jep, jup, jap, klar, na klar, ja klar, natürlich, selbstverständlich, sicher, ja sicher,
aber sicher, aber ja, aber gerne, aber natürlich, aber klar, freilich, ja freilich, genau, ganz genau, ja genau,
genau so, genau richtig, richtig, ganz richtig, völlig richtig, korrekt, unbedingt, absolut, auf jeden fall, gerne,
sehr gerne, ja gerne, ja sehr gerne, einverstanden, stimmt, stimmt genau, ja stimmt
"""
_STATEMENT = """
das stimmt, das stimmt so, stimmt so, das ist richtig, das ist richtig so, das ist korrekt, das ist genau richtig,
das ist so richtig, alles richtig, alles korrekt, bestätigt, bestätigen, bestätige, ich bestätige, ich bestätige das,
hiermit bestätige ich das, das bestätige ich, das kann ich bestätigen, ich bin einverstanden,
ich bin damit einverstanden, damit bin ich einverstanden, bin einverstanden, ich stimme zu, ich stimme dem zu,
das will ich, genau das will ich, das möchte ich, genau das möchte ich, das wollte ich, ich will das, ich möchte das,
so ist es, so soll es sein, so machen wir das, so machen wir es, machen wir so, das machen wir so,
das können sie machen, sie können das machen, das kannst du machen, du kannst das machen, die antwort ist ja,
meine antwort ist ja
"""
_ACT = """
mach das, mach es, mach das so, mach es so, machen sie das, machen sie es, machen sie das so, machen sie es so,
machen sie das bitte, machen sie es bitte, mach das bitte, mach es bitte, tu das, tu es, tun sie das, tun sie es,
nur zu, dann machen sie das, dann mach das, legen sie los, leg los
"""
_ECHOED = "will ich, möchte ich, bin ich, bin ich sicher, ich bin sicher, ganz sicher, ich bin mir sicher, tue ich, los"
_SUPPORT = """
okay, gut, sehr gut, alles klar, in ordnung, alles in ordnung, passt, passt so, das passt, das passt so, prima,
super, toll, wunderbar, perfekt, schön, das ist in ordnung, das ist gut, das ist gut so, das ist okay, das ist prima,
das ist perfekt, das geht in ordnung, geht in ordnung, das wäre gut, das wäre schön, das wäre super, ich bin sicher,
hundertprozentig
"""

_NO = """
lassen sie es so wie es ist, lass es so wie es ist, nein, nee, ne, nö, nein nein, nein danke, nicht, bitte nicht,
nichts, gar nicht, auf keinen fall, auf gar keinen fall, keinesfalls, keineswegs, niemals, nie, nie im leben,
nie und nimmer, doch nicht, jetzt nicht, nicht jetzt, heute nicht, noch nicht, lieber nicht, besser nicht,
eher nicht, natürlich nicht, sicher nicht, bestimmt nicht, das nicht, den nicht, falsch, das ist falsch,
stimmt nicht, das stimmt nicht, nicht richtig, das ist nicht richtig, nicht korrekt, das ist nicht korrekt,
nicht einverstanden, ich bin nicht einverstanden, ich bin dagegen, dagegen, ich will nicht, ich will das nicht,
ich will es nicht, das will ich nicht, will ich nicht, ich möchte nicht, ich möchte das nicht, ich möchte es nicht,
das möchte ich nicht, möchte ich nicht, das wollte ich nicht, das habe ich nicht gesagt, das meine ich nicht,
das meinte ich nicht, das war ein fehler, das ist ein fehler, ich bestätige nicht, ich bestätige das nicht,
das bestätige ich nicht, nicht bestätigen, bestätigen sie das nicht, nicht machen, mach das nicht, mach es nicht,
mach das bitte nicht, machen sie das nicht, machen sie es nicht, machen sie das bitte nicht, machen sie nichts,
mach nichts, tu das nicht, tu es nicht, tun sie das nicht, tun sie das bitte nicht, tun sie nichts, nicht absagen,
sag das nicht ab, sag ihn nicht ab, sagen sie das nicht ab, sagen sie ihn nicht ab, sagen sie ihn bitte nicht ab,
nicht löschen, löschen sie das nicht, nicht streichen, nicht verschieben, lass das, lass es, lass es so,
lass es sein, lass es bleiben, lass mal, lass alles so, lass alles so wie es ist, lass alles wie es ist,
lassen sie das, lassen sie es, lassen sie es so, lassen sie es bleiben, lassen sie es sein, lassen sie alles so,
lassen sie alles so wie es ist, lassen sie alles wie es ist, alles so lassen, so lassen, es so lassen, es bleibt so,
das bleibt so, der termin bleibt, der bleibt, behalten, ich möchte ihn behalten, ich behalte ihn,
ich brauche ihn noch, den brauche ich noch, das brauche ich noch, ich habe es mir anders überlegt, vergiss es,
vergessen sie es, vergessen sie das, vergiss das, stopp, halt, halt stopp, aufhören, hören sie auf, hör auf,
abbrechen, ablehnen, abgelehnt, ich lehne ab, danke nein, nein schon gut, nee schon gut, nö schon gut, zwei,
drücke zwei, taste zwei, die zwei, nummer zwei
"""

_AGAIN = """
was, bitte was, wie bitte, wie, wie war das, was war das, was ist das, was haben sie gesagt, was hast du gesagt,
was sagten sie, was machen sie, was wird abgesagt, nochmal, bitte nochmal, nochmal bitte, wiederholen,
bitte wiederholen, wiederhole, wiederhole das, wiederholen sie, wiederholen sie das, wiederholen sie bitte,
können sie das wiederholen, können sie das bitte wiederholen, können sie das nochmal sagen,
können sie das bitte nochmal sagen, können sie das nochmal wiederholen, kannst du das wiederholen,
kannst du das bitte wiederholen, kannst du das nochmal sagen, könnten sie das wiederholen,
könnten sie das bitte wiederholen, könnten sie das nochmal sagen, könntest du das wiederholen,
könntest du das nochmal sagen, sag das nochmal, sagen sie das nochmal, sagen sie das bitte nochmal, nicht verstanden,
ich habe nicht verstanden, ich habe sie nicht verstanden, ich habe dich nicht verstanden,
ich habe das nicht verstanden, das habe ich nicht verstanden, ich verstehe nicht, ich verstehe sie nicht,
ich habe nichts gehört, ich habe das nicht gehört, das habe ich nicht gehört, ich höre sie nicht, ich höre nichts,
welcher, welche, welches, welchen, welcher termin, welchen termin, welcher denn, hä, hallo, sind sie noch da,
bist du noch da, sind sie da, wann, wann ist das, wann war das, wer, wer ist das, wo, wo ist das, stern, sterntaste,
entschuldigung, verzeihung, um was geht es, worum geht es
"""

_DOUBT = """
vielleicht, eventuell, möglicherweise, wahrscheinlich, vermutlich, ich glaube, ich denke, ich weiß nicht, weiß nicht,
weiß ich nicht, das weiß ich nicht, keine ahnung, nicht sicher, ich bin nicht sicher, ich bin mir nicht sicher,
unsicher, kommt darauf an, kommt drauf an, das kommt darauf an, je nachdem, mal sehen, mal schauen, schauen wir mal,
jein, oder, wenn, falls, sofern, außer, aber, weil, obwohl, trotzdem, kein problem, keine einwände, nichts dagegen,
ich habe nichts dagegen, warum nicht, wieso nicht, warum, wieso, von mir aus, meinetwegen, egal, mir egal,
ist mir egal, wie sie wollen, wie sie meinen, wie du willst, schon gut, passt schon, von wegen, na ja, na gut,
also gut, ach, ach so, ach was, so so, soso, warte, warten sie, warte mal, moment, einen moment, moment mal,
einen augenblick, augenblick, sekunde, eine sekunde, lass mich überlegen, ich überlege noch, ich muss überlegen,
ich muss erst fragen, ich muss fragen, nicht nur, nicht nein, nicht ja, nicht dass, ich verstehe, ich weiß, ich höre,
gleich, keiner, niemand, eins, drücke eins, taste eins, doch, ist das richtig, stimmt das, sind sie sicher,
sind sie sich sicher, bist du sicher, sicher dass, richtig so nicht
"""

_WISH = """
verschieben sie ihn, anlegen, eintragen, leg ihn an, legen sie ihn an, trag ihn ein, tragen sie ihn ein, verschieb,
verschiebe, verschieben, verschieben sie, verschieb ihn, verleg, verlege, verlegen, ändere, ändern, änder, umbuchen,
buchen, buche, buch, trag, tragen, trage, lad, lade, laden, einladen, lieber, besser, stattdessen, statt, sondern,
früher, später, auch, ebenfalls, zusätzlich, außerdem, noch einen, nur den, nur die, nur das, den anderen,
die andere, das andere, einen anderen, anderen, den ersten, den zweiten, den am, den um, den mit, alle, beide,
ich hätte, ich brauche, ich meinte, ich meine, ich sagte, ich möchte ihn, ich will ihn, draus, daraus, was ist mit,
wie wäre es, geht auch, geht es, können sie ihn, können sie es, können sie stattdessen, könnten sie, kannst du ihn,
kannst du es, könntest du, bescheid, erinnere, erinnern, erinnerung, was habe ich, habe ich, ruf, rufen, schick,
schicken, mittagessen, montag, dienstag, mittwoch, donnerstag, freitag, samstag, sonnabend, sonntag, wochenende,
januar, februar, märz, april, mai, juni, juli, august, september, oktober, november, dezember, heute, morgen,
übermorgen, woche, monat, nachmittag, vormittag, abend, mittag, mittags, mitternacht, uhr, halb, viertel, stunde,
stunden, minuten, um eins, um zwei, bis eins, bis zwei, ab eins, ab zwei
"""
_DIGITS = ", ".join(str(value) for value in range(13, 61))
_NUMBER = """
drei, vier, fünf, sechs, sieben, acht, neun, zehn, elf, zwölf, dreizehn, vierzehn, fünfzehn, sechzehn, siebzehn,
achtzehn, neunzehn, zwanzig, dreißig, vierzig, fünfzig
"""
_STEM = "mit, für, am, um, nur, den, die"

GERMAN = table(
    spelling=_SPELLING,
    sounds={},
    roles={
        Role.FILLER: _FILLER,
        Role.MURMUR: _MURMUR,
        Role.LEAD: _LEAD,
        Role.TURN: _TURN,
        Role.COURTESY: _COURTESY,
        Role.REGRET: _REGRET,
        Role.YES: _YES,
        Role.STATEMENT: _STATEMENT,
        Role.ACT: _ACT,
        Role.ECHOED: _ECHOED,
        Role.SUPPORT: _SUPPORT,
        Role.NO: _NO,
        Role.AGAIN: _AGAIN,
        Role.DOUBT: _DOUBT,
        Role.WISH: _WISH,
        Role.NUMBER: f"{_NUMBER}, {_DIGITS}",
        Role.STEM: _STEM,
    },
    intro="ich bin dabei",
    asked={
        "einen termin abzusagen": "absagen",
        "einen termin anzulegen": "anlegen",
        "einen termin zu verschieben": "verschieben",
    },
    deeds={
        "absagen": """
            absagen, sag ihn ab, sag das ab, sag es ab, sagen sie ihn ab, sagen sie das ab, sagen sie es ab, löschen,
            streichen, den termin absagen, den termin löschen, sagen sie den termin ab, sag den termin ab
        """,
        "anlegen": "anlegen, eintragen, leg ihn an, legen sie ihn an, trag ihn ein, tragen sie ihn ein",
        "verschieben": "verschieben, verschieb ihn, verschieben sie ihn",
    },
)
