"""French yes and no, of France, Québec and Belgium.

French asks by its voice alone: "c'est ça" may be "is that it?" where the recogniser prints no marks, so such clauses
consent only beside a yes. It refuses around its verb, and in speech behind it ("faites pas ça", in Québec "fais-le
pas"), so such refusals are whole phrases here. "Si" (if, and yes to a no) takes every consent back.
"""

from itertools import product

from phone_bridge.call.assent.accents import also_plain, phrases
from phone_bridge.call.assent.grammar import Role
from phone_bridge.call.assent.table import table

_NUMERALS = (
    *("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze"),
    *("treize", "quatorze", "quinze", "seize"),
)

_FILLER = "euh, heu, euhm, hum, hmm, hm, mm, mmm, hem"
_MURMUR = "mhm, hum hum, hm hm, mm hm"
_LEAD = "oh, ben, bah, bin, eh bien, eh ben, alors, bon ben, bon bah"
_TURN = "ah, en fait, finalement, enfin, tout compte fait, tout bien réfléchi, à vrai dire, écoutez, écoute"
_COURTESY = """
s'il vous plaît, s'il te plaît, svp, stp, merci, merci beaucoup, merci bien, grand merci, je vous en prie,
je t'en prie, monsieur, madame, mademoiselle, je vous remercie
"""
_REGRET = "désolé, désolée, je suis désolé, je suis désolée, pardon, excusez-moi, excuse-moi, malheureusement, navré"

# Not here: "d'accord", "entendu", "ça marche", "c'est bon" (murmured while listening; "c'est bon" declines, too),
# "sûrement", "sans doute" (probably), "ah oui" (surprise), "avec plaisir" (you are welcome), "correct" (fine, in
# Québec), "certes", "si", "un" (a time, an article; the key is under the thumb).
_YES = """
oui, ouais, ouaip, ouep, ouaip oui, que oui, oh que oui, mais oui, mais bien sûr, mais certainement oui, oui monsieur,
oui madame, bien sûr, bien sûr que oui, bien entendu, tout à fait, tout à fait d'accord, absolument, exactement, exact,
évidemment, évidemment oui, naturellement, assurément, affirmatif, parfaitement, carrément, volontiers,
très volontiers, sûr et certain, sans aucun doute, sans le moindre doute, sans l'ombre d'un doute, mets-en oui,
certain oui
"""
_STATEMENT = """
je confirme, je le confirme, je la confirme, je vous le confirme, je te le confirme, oui je confirme, confirmé,
c'est confirmé, confirmez, confirmez-le, confirmez ça, confirmer, je valide, je le valide, validé, c'est validé,
validez, validez-le, validez ça, j'accepte, accepté, c'est accepté, j'approuve, approuvé, j'autorise, je vous autorise,
je vous y autorise, je t'autorise, je l'autorise, je consens, j'y consens, je donne mon accord,
je vous donne mon accord, je te donne mon accord, je donne mon consentement, vous avez mon accord, tu as mon accord,
vous avez mon autorisation, vous avez mon consentement, je suis d'accord, je suis tout à fait d'accord,
je suis entièrement d'accord, moi je suis d'accord, je veux bien, la réponse est oui, ma réponse est oui, je dis oui,
je réponds oui, c'est oui, c'est oui pour moi, pour moi c'est oui, c'est un oui, c'est ce que je veux,
c'est exactement ce que je veux, c'est bien ce que je veux, c'est ce que je souhaite
"""
_ACT = """
allez-y, vas-y, allez-y donc, vas-y donc, faites-le, fais-le, faites ça, fais ça, faites donc, faites, faites comme ça,
fais comme ça, faites-le maintenant, fais-le maintenant, faites-le donc, faites cela, faites ainsi, procédez, procède,
procédez ainsi
"""
_SUPPORT = """
okay, bon, bien, très bien, parfait, super, génial, nickel, impeccable, excellent, formidable, merveilleux, d'accord,
entendu, bien entendu, compris, noté, voilà, certainement, effectivement, en effet, sûr, certain, correct, positif,
avec plaisir, avec grand plaisir, avec joie, tout de suite, maintenant, immédiatement, dès maintenant, comme convenu,
comme prévu, comme ça, pour moi, mets-en, envoyez, envoye
"""
# What may be a question, or decline, where nothing but the voice tells it; none consents by itself.
_CLAUSES = """
c'est ça, c'est bien ça, c'est cela, c'est bien cela, c'est exact, c'est bien exact, c'est correct, c'est juste,
c'est bon, c'est tout bon, c'est bien, c'est très bien, c'est parfait, c'est noté, c'est bien noté, c'est vrai,
c'est sûr, c'est certain, c'est d'accord, c'est entendu, c'est okay, c'est beau, c'est bon pour moi,
pour moi c'est bon, tout est correct, tout est bon, tout est juste, tout est exact, tout est parfait, ça me va,
ça me convient, ça me va très bien, ça me convient parfaitement, ça me va bien, ça marche, ça roule, ça va, ça joue,
vous pouvez y aller, vous pouvez le faire, vous pouvez faire ça, vous pouvez confirmer, vous pouvez valider,
vous pouvez procéder, tu peux y aller, tu peux le faire, on y va, on fait ça, on fait comme ça, faisons ça,
faisons comme ça, c'est ce que je voudrais, c'est ce que je voulais, c'est ce que j'ai dit, c'est ce que j'ai demandé,
je le souhaite
"""
_ECHOED = """
je veux, je le veux, vous pouvez, tu peux, je suis sûr, je suis sûre, je suis certain, je suis certaine, j'en suis sûr,
j'en suis sûre, j'en suis certain, j'en suis certaine, j'en suis sûr et certain
"""

_FORBIDDEN = """
faites, fais, changez, change, modifiez, modifie, déplacez, déplace, bougez, bouge, touchez, touche, confirmez,
confirme, validez, valide, créez, crée, supprimez, supprime, reportez, reporte
"""
_FORBIDDEN_AFTER_N = "annulez, annule, effacez, efface, envoyez, envoie"
_OWN = "confirme, valide, veux, souhaite, pense, crois, préfère, suis pas d'accord"
_OWN_AFTER_N = "accepte, autorise, approuve"


def _forbidden() -> str:
    """Spell "do not do it" as it is written, as it is spoken, and as Québec turns it."""
    said: list[str] = []
    for verb in phrases(_FORBIDDEN):
        said += [f"{ne}{verb} {no}" for ne, no in product(("ne ", "", "ne le ", "ne la ", "le "), ("pas", "pas ça"))]
        said += [f"ne {verb} rien", f"{verb} rien", f"{verb} le pas", f"{verb} surtout pas", f"ne {verb} surtout pas"]
    for verb in phrases(_FORBIDDEN_AFTER_N):
        said += [f"{ne}{verb} {no}" for ne, no in product(("n'", "", "ne l'", "l'"), ("pas", "pas ça", "surtout pas"))]
        said += [f"n'{verb} rien", f"{verb} rien", f"{verb} le pas"]
    for verb in phrases(_OWN):
        said += [f"je ne {verb} pas", f"je {verb} pas", f"je ne le {verb} pas", f"je le {verb} pas"]
    for verb in phrases(_OWN_AFTER_N):
        said += [f"je n'{verb} pas", f"j'{verb} pas", f"je ne l'{verb} pas", f"je l'{verb} pas"]
    return ", ".join(said)


_NO = """
non, nan, nenni, que nenni,
que non, oh que non, ça non, ah ça non, mais non, bien sûr que non, évidemment non, évidemment que non,
bien entendu que non, naturellement non, pas du tout, absolument pas, certainement pas, sûrement pas, surtout pas,
évidemment pas, vraiment pas, carrément pas, non pas du tout, jamais, jamais de la vie, au grand jamais, en aucun cas,
en aucune façon, en aucune manière, aucunement, nullement, hors de question, c'est hors de question, pas question,
il n'en est pas question, il en est pas question, pas maintenant, pas aujourd'hui, pas encore, pas tout de suite,
pas pour l'instant, pas pour le moment, pas cette fois, pas ça, pas celui-là, pour l'instant non, pour le moment non,
plutôt non, plutôt pas, mieux vaut pas, mieux vaut non, il vaut mieux pas, vaut mieux pas, je préfère non,
je préfère que non, je préférerais pas, je préférerais que non, je crois que non, je pense que non, je veux pas,
je n'en veux pas, j'en veux pas, je ne veux pas de ça, je veux pas de ça, je ne veux pas ça, je veux pas ça,
je ne veux plus, je veux plus, je ne veux pas que vous le fassiez, je veux pas que vous le fassiez,
je ne veux pas que tu le fasses, je ne veux pas l'annuler, je veux pas l'annuler, je ne veux pas annuler,
je veux pas annuler, je ne veux rien annuler, je ne veux rien changer, je veux rien changer, je ne veux pas le faire,
je ne suis pas d'accord, je suis pas d'accord, pas d'accord, pas okay, je suis contre, je refuse, je décline, refusé,
refuser, refusez, je m'y oppose, je m'oppose, je ne vous autorise pas, je vous autorise pas, ne pas annuler,
ne pas confirmer, ne touchez à rien, ne touche à rien, touchez à rien, touche à rien, n'y touchez pas, n'y touche pas,
y touchez pas, n'y allez pas, n'y va pas, allez-y pas, vas-y pas, ne procédez pas, procédez pas, laissez, laisse,
laissez ça, laisse ça, laissez comme ça, laisse comme ça, laissez tout comme ça, laisse tout comme ça, laissez-le,
laisse-le, laissez-le comme ça, laisse-le comme ça, laissez les choses comme elles sont,
laisse les choses comme elles sont, laissez tout comme c'est, laissez ça comme c'est, laissez ça comme ça,
laisse ça comme ça, laissez tel quel, laisse tel quel, laissez tout tel quel, laissez-le tel quel, laissez-le en place,
laissez tomber, laisse tomber, laissez faire, laisse faire, gardez-le, garde-le, gardez ça, garde ça,
gardez le rendez-vous, garde le rendez-vous, je le garde, je veux le garder, je voudrais le garder,
je préfère le garder, j'en ai besoin, j'en ai encore besoin, on garde, on le garde, on garde ça, on laisse,
on laisse ça, on laisse comme ça, on laisse tomber, on ne change rien, on change rien, oubliez, oublie, oubliez ça,
oublie ça, oubliez-le, arrêtez, arrête, arrêtez ça, arrête ça, arrêtez tout, stop, stop stop, abandonner, abandonnez,
abandonne, j'ai changé d'avis, j'ai changé d'idée, c'est faux, faux, c'est pas ça, ce n'est pas ça, ce n'est pas cela,
c'est pas cela, ce n'est pas correct, c'est pas correct, ce n'est pas exact, c'est pas exact, ce n'est pas juste,
c'est pas juste, ce n'est pas vrai, c'est pas vrai, c'est pas bon, ce n'est pas bon, ce n'est pas le bon,
c'est pas le bon, pas le bon, pas bon, mauvais, incorrect, inexact, c'est une erreur, c'était une erreur,
il y a erreur, il y a une erreur, erreur, je me suis trompé, je me suis trompée, je me trompe,
ce n'est pas ce que je veux, c'est pas ce que je veux, ce n'est pas ce que je voulais, c'est pas ce que je voulais,
ce n'est pas ce que j'ai dit, c'est pas ce que j'ai dit, ce n'est pas ce que j'ai demandé,
c'est pas ce que j'ai demandé, je n'ai pas demandé ça, j'ai pas demandé ça, je n'ai rien demandé, j'ai rien demandé,
je n'ai pas dit ça, j'ai pas dit ça, je n'ai jamais dit ça, j'ai jamais dit ça, je n'ai jamais demandé ça, négatif,
la réponse est non, ma réponse est non, c'est non, c'est non pour moi, pour moi c'est non, je dis non, j'ai dit non,
je vous dis non, je te dis non, je vous ai dit non, mais non merci, désolé mais non, désolée mais non, merci mais non,
rien, rien du tout, ne rien faire, pantoute, pas pantoute, non c'est bon, nan c'est bon, non ça va, nan ça va,
non ça ira, ça ira non, non c'est correct, c'est pas la peine, ce n'est pas la peine, pas la peine, pas besoin,
c'est pas nécessaire, ce n'est pas nécessaire, pas nécessaire, inutile, c'est inutile, deux, le deux, la deux,
touche deux, la touche deux, numéro deux, le numéro deux, option deux, l'option deux, appuyez sur deux, tapez deux,
je tape deux, je tape le deux, je fais le deux, je fais deux, j'appuie sur deux, j'appuie sur le deux
"""

_AGAIN = """
quoi, quoi donc, quoi ça, comment, comment ça, comment donc, pardon, pardon quoi, pardon comment, excusez-moi,
excusez-moi quoi, excuse-moi, plaît-il, hein, hein quoi, vous dites, tu dis, qu'est-ce que vous dites,
qu'est-ce que tu dis, qu'est-ce que vous avez dit, qu'est-ce que tu as dit, qu'avez-vous dit, que dites-vous,
vous avez dit quoi, vous disiez, vous disiez quoi, c'est quoi, c'est quoi ça, c'est quoi la question,
quelle est la question, quelle était la question, quelle question, qu'est-ce que c'est, qu'est-ce que vous allez faire,
vous allez faire quoi, répétez, répète, répétez-le, répète-le, répétez ça, répète ça, répétez la question,
répète la question, répétez encore, répéter, vous pouvez répéter, vous pouvez répéter ça,
vous pouvez répéter la question, vous pourriez répéter, pouvez-vous répéter, pouvez-vous répéter ça,
pouvez-vous répéter la question, pourriez-vous répéter, pourriez-vous répéter ça, pourriez-vous répéter la question,
pouvez-vous me répéter ça, tu peux répéter, tu peux répéter ça, peux-tu répéter, est-ce que vous pouvez répéter,
est-ce que tu peux répéter, est-ce que vous pourriez répéter, vous pouvez redire, vous pouvez redire ça,
pouvez-vous redire, redites, redites-le, redites ça, redites-moi ça, redis, redis-le, redis ça, encore,
encore une fois, une fois de plus, une nouvelle fois, de nouveau, à nouveau, je n'ai pas compris, j'ai pas compris,
je n'ai pas bien compris, j'ai pas bien compris, je n'ai rien compris, j'ai rien compris, je ne comprends pas,
je comprends pas, je comprends rien, je ne comprends rien, je ne vous ai pas compris, je vous ai pas compris,
je ne vous comprends pas, je vous comprends pas, je n'ai pas entendu, j'ai pas entendu, je n'ai rien entendu,
j'ai rien entendu, je n'ai pas bien entendu, j'ai pas bien entendu, je ne vous ai pas entendu, je vous ai pas entendu,
je ne vous entends pas, je vous entends pas, je vous entends mal, je n'entends rien, j'entends rien, j'entends pas,
je n'entends pas, je veux réentendre, je voudrais réentendre, je veux réécouter, je voudrais réécouter,
j'aimerais réentendre, j'aimerais réécouter, réécouter, réentendre, lequel, laquelle, lesquels, lequel c'est,
c'est lequel, quel rendez-vous, quel événement, quelle réunion, quel jour, à quelle heure, c'est à quelle heure, quand,
c'est quand, quand ça, où, où ça, c'est où, qui, qui ça, c'est qui, avec qui, étoile, touche étoile, la touche étoile,
j'appuie sur étoile, tapez étoile, vous êtes là, vous êtes toujours là, vous êtes encore là, tu es là,
il y a quelqu'un, y a quelqu'un, allô
"""

_DOUBT = """
faites bien, fais bien, faites-le bien, fais-le bien, oui bon, ouais bon, ouais ouais ouais, c'est bon comme ça,
c'est bien comme ça, c'est très bien comme ça, c'est parfait comme ça, comme ça c'est bien, comme ça c'est bon,
comme ça c'est parfait, ça va comme ça, ça me va comme ça, ça marche comme ça, merci c'est bon, merci ça va,
ça va merci, si, peut-être, peut-être que oui, peut-être bien, ça dépend, cela dépend, faut voir, il faut voir, à voir,
on verra, on va voir, voyons, voyons voir, ben voyons, je ne sais pas, je sais pas, chais pas, j'sais pas, sais pas,
je n'en sais rien, j'en sais rien, aucune idée, pas la moindre idée, je ne suis pas sûr, je ne suis pas sûre,
je suis pas sûr, je suis pas sûre, je ne suis pas certain, je suis pas certain, je ne suis pas certaine, pas sûr,
pas sûre, pas certain, pas vraiment, pas vraiment sûr, pas si sûr, pas tout à fait, pas exactement, pas forcément,
pas nécessairement, pas exact, pas seulement, j'hésite, je crois, je crois que oui, je pense, je pense que oui,
je pense bien, je suppose, je suppose que oui, j'imagine, j'imagine que oui, j'espère, j'espère que oui, je dirais oui,
je dirais que oui, il me semble, il me semble que oui, on dirait, on dirait que oui, probablement, sans doute,
sûrement, certes, éventuellement, possible, c'est possible, ça se peut, ni oui ni non, plus ou moins, à peu près,
à la rigueur, presque, bof, mouais, moui, ouin, attendez, attends, attendez un peu, attends un peu, un instant,
un petit instant, un moment, un petit moment, une minute, une petite minute, une seconde, une petite seconde,
deux secondes, deux minutes, minute, patientez, laissez-moi réfléchir, laisse-moi réfléchir, laissez-moi voir,
laissez-moi le temps, je réfléchis, il faut que je réfléchisse, je dois réfléchir, je dois demander,
il faut que je demande, je vais réfléchir, je vais voir, pas de problème, aucun problème, sans problème,
y a pas de problème, il n'y a pas de problème, pas de souci, pas de soucis, y a pas de souci, aucun souci, sans souci,
je n'ai rien contre, j'ai rien contre, pas d'objection, aucune objection, je n'y vois pas d'inconvénient,
je n'y vois aucun inconvénient, pas d'inconvénient, ça ne me dérange pas, ça me dérange pas, ça m'est égal,
peu importe, n'importe, n'importe quoi, tant pis, pourquoi, pourquoi pas, comme vous voulez, comme tu veux,
comme vous dites, comme tu dis, comme vous le sentez, vous êtes sûr, vous êtes sûre, tu es sûr, êtes-vous sûr,
êtes-vous certain, es-tu sûr, ah oui, ah bon, ah oui d'accord, ah ben oui, ah ouais, ah mais oui, tiens oui, eh oui,
hélas, dommage, ça oui, c'est ça oui, c'est ça ouais, mais oui c'est ça, mais oui mais oui, oui mais, ouais mais,
bien sûr mais, d'accord mais, okay mais, mais mais, bien sûr c'est ça, oui oui c'est ça oui, à d'autres,
cause toujours, non oui, non si, non mais oui, non d'accord, non mais d'accord, non peut-être, ou, et, donc oui,
oui donc, parce que, sauf, sinon, quand, dès que, à condition, à condition que, à moins que, pourvu que, tant que,
jusqu'à ce que, avant de, après, je comprends, je vois, j'ai compris, je sais, je le sais, j'entends, je vous entends,
je vous écoute, j'écoute, je suis là, je suis toujours là, c'est moi, dites-moi, un, le un, touche un, la touche un,
numéro un, option un, l'option un, appuyez sur un, tapez un, je tape un, deux ou un, un ou deux, ce n'est pas de refus,
c'est pas de refus, je ne dis pas non, je dis pas non, je ne dis pas oui, je dis pas oui, je n'ai pas dit oui,
j'ai pas dit oui, je ne dirais pas non, je dirais pas non, moi oui, lui oui, elle oui, eux oui, vous oui, toi oui,
pour moi oui, un oui, le oui, a dit oui, dit oui, dit que oui, ai dit oui, dire oui, dites oui, dis oui,
c'est oui ou c'est non, c'est oui ou non, hein oui, hein que oui, en fait oui, finalement oui, enfin oui, pardon oui,
oui pardon, désolé oui, déjà confirmé, c'est déjà confirmé, pas confirmé, c'est tout bon merci, oui encore, oui aussi,
c'est sûr que, je veux bien que, je veux bien vous croire, bien sûr bien sûr
"""

_WISH = """
plutôt à, plutôt le, plutôt la, plutôt en, plutôt plus, déplacez-le, déplacez-la, déplace-le, déplace-la, déplacez le,
déplacez la, déplacer, le déplacer, la déplacer, déplaçait, décalez, décale, décaler, reportez, reporte, reporter,
repoussez, repousse, repousser, avancez, avance, avancer, remettez, remets, remettre, reprogrammez, reprogramme,
reprogrammer, mettez, mets, mettre, le mettre, changez l'heure, change l'heure, changez la, change la, changez de,
change de, changez le, changez-le, change-le, changer, le changer, changez-la, modifiez, modifie, modifier, ajoutez,
ajoute, ajouter, invitez, invite, inviter, prévenez, préviens, prévenir, dites-le, dites à, dis à, envoyez un,
envoie un, envoyez-lui, rappelez-moi, rappelle-moi, rappelez-le, rappelez, créez, créez-en, prenez, prends, réservez,
réserve, aussi celui, aussi l'autre, aussi la, aussi le, également, en plus, l'autre, les autres, un autre, une autre,
celui de, celle de, ceux de, celui du, celle du, celui d'après, le premier, la première, le deuxième, la deuxième,
le second, la seconde, le dernier, la dernière, seulement, juste le, juste la, juste celui, uniquement, tous, toutes,
tous les deux, toutes les deux, les deux, au lieu, au lieu de, à la place, mieux vaut, j'aimerais mieux, je préfère,
je préférerais, je voudrais, j'aimerais, je veux le déplacer, je veux le, je veux changer, je veux un, je veux une,
je veux annuler, j'ai besoin de, il me faut, il faudrait, vous pouvez le déplacer, pouvez-vous, pourriez-vous, peux-tu,
pourrais-tu, tu peux le déplacer, tu peux le mettre, on peut, on pourrait, est-ce que, et si on, et si,
qu'est-ce que j'ai, mon prochain rendez-vous, je voulais dire, je parle de, je parlais de, j'ai dit vendredi,
j'ai dit à, j'ai dit le, lundi, mardi, mercredi, jeudi, vendredi, samedi, dimanche, janvier, février, mars, avril, mai,
juin, juillet, août, septembre, octobre, novembre, décembre, demain, après-demain, aujourd'hui à, ce soir, ce matin,
le matin, du matin, du soir, matinée, cet après-midi, l'après-midi, après-midi, à midi, à minuit, midi, minuit,
semaine, mois, tantôt, prochain, prochaine, plus tard, plus tôt, un peu avant, une heure avant, avant midi, heure,
heures, demi-heure, et demie, et quart, moins le quart, quart d'heure, minutes, à une heure, une heure, à deux heures,
en voiture
"""
_DIGITS = ", ".join(str(value) for value in range(17, 61))
_NUMBER = ", ".join(
    (
        *_NUMERALS[3:],
        *("dix-sept", "dix-huit", "dix-neuf", "vingt", "trente", "quarante", "cinquante", "soixante"),
        *("septante", "huitante", "octante", "nonante"),
    )
)
_STEM = """
avec, plutôt, chez, annulez, annule, supprimez, supprime, effacez, efface, juste, pour, vers, non pas, non le, non la,
mais à, mais le, mais au, mais en
"""

_KEPT = frozenset({"à", "où", "dû", "sûr", "sûre", "là"})
"""Words that are others without their accents: "a" (has), "ou" (or), "sur" (on), "la" (the)."""
_ELIDED = frozenset({"c'est", "d'accord", "j'accepte", "s'il", "j'ai", "n'annulez", "l'annuler", "j'autorise"})


def _role(text: str) -> str:
    return also_plain(text, _KEPT)


_DEEDS = {
    "annuler": _role("""
        annulez, annule, annulez-le, annule-le, annulez-la, annule-la, annulez ça, annule ça, annulez le rendez-vous,
        annule le rendez-vous, annulez la réunion, annule la réunion, annulez l'événement, annuler, l'annuler,
        supprimez-le, supprime-le, supprimez, supprimez ça, effacez-le, efface-le, effacez ça, je veux l'annuler,
        je voudrais l'annuler, je souhaite l'annuler, je veux que vous l'annuliez, vous pouvez l'annuler,
        tu peux l'annuler
    """),
    "créer": _role("créez-le, crée-le, créez ça, créer, ajoutez-le, ajoute-le, vous pouvez le créer"),
    "déplacer": _role("déplacez-le, déplace-le, déplacer, déplacez ça, vous pouvez le déplacer"),
    "envoyer": _role("envoyez-le, envoie-le, envoyer, envoyez ça, prévenez-les, vous pouvez l'envoyer"),
}
_ROLES = {
    Role.FILLER: _FILLER,
    Role.MURMUR: _MURMUR,
    Role.LEAD: _LEAD,
    Role.TURN: _role(_TURN),
    Role.COURTESY: _role(_COURTESY),
    Role.REGRET: _role(_REGRET),
    Role.YES: _role(_YES),
    Role.STATEMENT: _role(_STATEMENT),
    Role.ACT: _role(_ACT),
    Role.ECHOED: _role(_ECHOED),
    Role.SUPPORT: _role(f"{_SUPPORT}, {_CLAUSES}"),
    Role.NO: _role(f"{_NO}, {_forbidden()}"),
    Role.AGAIN: _role(_AGAIN),
    Role.DOUBT: _role(_DOUBT),
    Role.WISH: _role(_WISH),
    Role.NUMBER: _role(f"{_NUMBER}, {_DIGITS}"),
    Role.STEM: _STEM,
}


def _spelling() -> dict[str, str]:
    """Tear elisions apart, as some recognisers do ("c est"), and write small numbers in words."""
    text = ", ".join((*_ROLES.values(), *_DEEDS.values()))
    elided = {word for word in text.replace(",", " ").replace("-", " ").split() if "'" in word}
    return (
        {word: word.replace("'", " ") for word in elided}
        | {word.replace("'", ""): word.replace("'", " ") for word in elided & _ELIDED}
        | {str(value): word for value, word in enumerate(_NUMERALS)}
        | {"ok": "okay", "o k": "okay", "okey": "okay", "yep": "ouaip", "non non": "non", "h": "heures"}
    )


FRENCH = table(
    spelling=_spelling(),
    sounds={
        "dis": "dites",
        "dit": "dites",
        "appuyer": "appuyez",
        "taper": "tapez",
        "tape": "tapez",
        "confirmez": "confirmer",
        "confirmé": "confirmer",
        "où": "ou",
        "tout": "tous",
        "telle": "tel",
        "quelle": "quel",
    },
    roles=_ROLES,
    intro="je vais",
    asked={"annuler": "annuler", "annuler tous": "", "créer": "créer", "déplacer": "déplacer", "envoyer": "envoyer"},
    deeds=_DEEDS,
)
