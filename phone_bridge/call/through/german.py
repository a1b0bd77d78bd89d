"""How one asks in German to be put through; accents are taken off before ("möchte" is ``mochte``)."""

from phone_bridge.call.through.tongue import tongue

_SPELLING = {
    "moechte": "mochte",
    "koennen": "konnen",
    "koennten": "konnten",
    "koennte": "konnte",
    "wuerde": "wurde",
    "wuerden": "wurden",
    "duerfte": "durfte",
    "gerne": "gern",
    "ok": "okay",
    "nee": "nein",
    "ne": "nein",
    "grad": "gerade",
    "nem": "einem",
    "ner": "einer",
    "nen": "einen",
    "irgend jemandem": "irgendjemandem",
    "irgend jemanden": "irgendjemanden",
    "kunden service": "kundenservice",
    "kunden dienst": "kundendienst",
}
_BESIDES = """
und oder aber nicht kein keine keinen keinem heute morgen ubermorgen abend mittag fruh nachher spater gleich um am bis
nach vor seit wenn dann falls weil dass ob montag dienstag mittwoch donnerstag freitag samstag sonntag woche monat
jahr stunde stunden minute minuten uhr januar februar marz april mai juni juli august september oktober november
dezember ein eins zwei drei vier funf sechs sieben acht neun zehn elf zwolf ich mich mir sie ihnen du dir dich er ihn
es wir uns mein meine meiner meinem meinen termin termine besprechung kalender anruf anrufe ist sind war hat haben
wird werden kann sprechen reden verbinden durchstellen weiterleiten verbunden durchgestellt weitergeleitet bitte mal
doch jetzt sagen sag absagen verschieben niemandem niemand stumm wieder wer was wann wo wie warum
"""
_GRAMMAR = """
lead = hallo | guten (tag | morgen | abend) | gruss gott | servus | moin | okay | gut | na gut | also | so | ja | nein
  | dann | bitte | danke | entschuldigung | entschuldigen sie | und | nun | ach | tja | horen sie | ich sagte |
  moment;
soft = bitte | mal | doch | jetzt | gleich | direkt | gern | lieber | einfach | dann | kurz | endlich | nur | sofort |
  erst | stattdessen | vielleicht | eben | gerade | wohl | schnell | freundlicherweise;
tail = bitte | danke | jetzt | sofort | gleich | bitte danke | wenn (es geht | moglich | das moglich ist | das geht);
article = ein | eine | einen | einem | einer | der | die | den | dem | das | ihr | ihre | ihren | ihrem | ihrer |
  irgendeinem | irgendeiner | irgendeinen;
kind = echten | echter | echte | richtigen | richtiger | richtige | realen | reale | realer | lebenden | lebendigen |
  anderen | andere | anderer | menschlichen | menschlicher | wirklichen;
job = mensch | menschen | person | mitarbeiter | mitarbeiterin | mitarbeitern | operator | agent | agenten | kollege |
  kollegen | kollegin | berater | beraterin | sachbearbeiter | sachbearbeiterin | vorgesetzten | chef | chefin |
  ansprechpartner | sekretarin | kundenberater | telefonistin | leiter;
body = jemand | jemandem | jemanden | wem | wen | irgendjemandem | irgendjemanden | irgendwem;
desk = zentrale | telefonzentrale | vermittlung | rezeption | empfang | sekretariat | kundenservice | kundendienst |
  kundenbetreuung | hotline;
to = mit | zu | zum | zur | an | ins | in | im;
person = [<article>] <kind>* <job> | <body> [anders | anderem | anderen | echtem | richtigem] | [<article>] <desk> |
  <body> (vom | von der | am | in der) <desk>;
through = verbinden | durchstellen | weiterverbinden | weiterleiten | durchschalten | umleiten;
done = verbunden | durchgestellt | weiterverbunden | weitergeleitet | vermittelt;
speak = sprechen | reden | telefonieren;
want = ich <soft>* (mochte | will | wurde | hatte | wollte | muss | musste | brauche);
may = (kann | konnte | darf | durfte) ich;
ask = (konnen | konnten | wurden) sie | (kannst | konntest | wurdest) du;
imp = (verbinden sie | verbinde | verbind) <soft>* mich | mich;
callee = [<article>] <name> [abteilung] | (<body> | <article> (mitarbeiter | kollegen | mitarbeiterin | person)) (vom
  | von der | von | aus dem | aus der | im | in der | am) <name>;
machine = [<article>] (maschine | computer | roboter | automaten | automat | bot | ki | assistenten | maschinen |
  robotern | anrufbeantworter | sprachcomputer);
stranger = [<article>] [herrn | herr | frau] <unknown>;
anyone = <lead>* (<put> | <say> | <get> | <bare>) <tail>*;
put = (verbinden sie | verbinde | verbind) <soft>* mich <soft>* [<to> <person>] <soft>* | <ask> <soft>* mich <soft>*
  [<to> <person>] <soft>* <through> | (stellen sie | stelle | stell) <soft>* mich <soft>* [<to> <person>] <soft>*
  durch | (leiten sie | leite) <soft>* mich <soft>* [<to> <person>] <soft>* weiter | <want> <soft>* <to> <person>
  <soft>* <done> [werden] | <want> <soft>* <done> werden | (verbinden | durchstellen | weiterleiten | weiterverbinden)
  bitte | bitte [<to> <person>] <through> | mich bitte <through> | [mich] (zu | zum | zur | an) <person> <through>;
say = <want> <soft>* mit <person> <soft>* <speak> | <may> <soft>* mit <person> <soft>* <speak> | mit <person> <speak>
  | (<want> | <may>) <soft>* <person> <soft>* <speak> | <person> sprechen | <want> nicht <soft>* mit <machine> <speak>
  [(<want> | sondern) <soft>* mit <person> <soft>* <speak> | sondern mit <person>] | (ist es | ware es) <soft>*
  moglich <soft>* mit <person> zu <speak> | (gibt es | ist (da | hier | dort)) <soft>* <person> mit (dem | der) ich
  <speak> (kann | konnte) | lassen sie mich <soft>* mit <person> <soft>* <speak>;
get = (geben sie | gib) mir <soft>* <person> | (holen sie | hol) mir <soft>* <person> | ich <soft>* (brauche | will |
  mochte) <soft>* <article> <kind>* <job> <soft>* | ich <soft>* brauche <soft>* <body> zum <speak>;
bare = [ein | eine | einen | den | die | das] <kind>* (operator | mensch | menschen) | (ein | einen | eine) <kind>*
  (mitarbeiter | mitarbeiterin | person | berater) | (mitarbeiter | mensch | agent | zentrale | kundenservice |
  kundendienst | vermittlung | die zentrale | die vermittlung | den kundenservice | den kundendienst) bitte | zentrale
  | vermittlung;
named = <lead>* ((verbinden sie | verbinde | verbind) <soft>* mich <soft>* <to> <callee> <soft>* | <ask> <soft>* mich
  <soft>* <to> <callee> <soft>* <through> | (stellen sie | stelle | stell) <soft>* mich <soft>* <to> <callee> <soft>*
  durch | (leiten sie | leite) <soft>* mich <soft>* <to> <callee> <soft>* weiter | <want> <soft>* <to> <callee>
  <soft>* (<done> werden | <speak>) | <may> <soft>* mit <callee> <soft>* <speak> | <may> <soft>* <callee> <soft>*
  sprechen | mit <callee> <speak> | lassen sie mich <soft>* mit <callee> <speak> | [<callee> bitte] (geben sie | gib)
  mir <soft>* <callee>) <tail>*;
other = <lead>* ((verbinden sie | verbinde | verbind) <soft>* mich <soft>* <to> <stranger> <soft>* | <ask> <soft>*
  mich <soft>* <to> <stranger> <soft>* <through> | (stellen sie | stelle | stell) <soft>* mich <soft>* <to> <stranger>
  <soft>* durch | <want> <soft>* <to> <stranger> <soft>* <done> werden) <tail>*;
answer = <lead>* [ich (mochte | will | hatte gern) | geben sie mir] [<to>] <callee> <tail>*;
whoever = <lead>* (egal [wer | mit wem] | (das | es) ist [mir] egal | <body> | irgendeiner | irgendwer | wer [auch]
  immer [da ist | frei ist] | einer von beiden | beide) <tail>*;
"""

GERMAN = tongue(spelling=_SPELLING, fillers="ah ahm eh ehm hm hmm mh ahem uh um", besides=_BESIDES, grammar=_GRAMMAR)
