"""How one asks in French to be put through; accents and apostrophes are gone before ("l'accueil": ``l accueil``)."""

from phone_bridge.call.through.tongue import tongue

_SPELLING = {
    "au": "a le",
    "aux": "a les",
    "du": "de le",
    "s il vous plait": "svp",
    "s il te plait": "svp",
    "s v p": "svp",
    "est ce que": "estceque",
    "est ce qu": "estceque",
    "m sieur": "monsieur",
    "mr": "monsieur",
    "mme": "madame",
    "dr": "docteur",
    "ok": "daccord",
    "d accord": "daccord",
    "serait il": "est il",
    "y a t il": "il y a",
    "t y a": "il y a",
}
_BESIDES = """
et ou mais pas ne ni personne demain hier matin midi soir apres avant quand si lundi mardi mercredi jeudi vendredi
samedi dimanche semaine mois an heure heures minute minutes janvier fevrier mars avril mai juin juillet aout septembre
octobre novembre decembre deux trois quatre cinq six sept huit neuf dix onze douze je j me m moi mon ma mes tu te toi
votre vos vous il elle nous rendez rdv reunion reunions agenda calendrier appel appels est sont etait annulez annule
deplacez rappelez dites svp maintenant que qu qui quoi comment pourquoi prochain prochaine cela ca ce cette sel
"""
_GRAMMAR = """
lead = bonjour | bonsoir | allo | salut | oui | non | bon | alors | daccord | euh | ben | bien | eh | donc | svp |
  excusez moi | pardon | ecoutez | et | merci | attendez | ah | oh | si;
soft = svp | plutot | maintenant | directement | juste | simplement | tout de suite | donc | vite | enfin | quand
  meme;
tail = svp | merci | maintenant | tout de suite | plutot | si (c est possible | possible | vous pouvez | vous voulez
  bien) | directement | a la place | immediatement;
article = un | une | l | le | la | les | d | votre | vos | de l;
kind = vraie | vrai | autre | etre | veritable | seule;
job = personne | humain | humaine | conseiller | conseillere | agent | agente | operateur | operatrice | responsable |
  employe | employee | technicien | technicienne | standardiste | receptionniste | collegue | secretaire | superieur |
  gerant | gerante | representant | telephoniste | interlocuteur | assistante;
real = reelle | reel | humain | humaine | physique | en chair et en os | de chez vous;
body = quelqu un | n importe qui;
desk = standard | accueil | reception | service (client | clients | clientele) | service a la clientele | secretariat;
person = [<article>] <kind>* <job> [<real>] | <body> [d autre | de <real> | <real>] | [<article>] <desk> | <body> (a |
  de) [<article>] <desk>;
to = a | avec | vers | chez | sur;
can = pouvez vous | pourriez vous | peux tu | pourrais tu | voulez vous [bien] | voudriez vous [bien] | [estceque]
  (vous (pouvez | pourriez) | tu (peux | pourrais)) | merci de;
link = en (relation | communication | contact | lien | ligne);
pass = (passez | passe) <soft>* moi | <can> <soft>* me <soft>* passer | <want> que vous me passiez;
send = (mettez | mets) <soft>* moi <soft>* <link> | <can> <soft>* me <soft>* mettre <soft>* <link> | (transferez |
  transfere | basculez | connectez | redirigez | transfert) <soft>* moi | <can> <soft>* me <soft>* (transferer |
  connecter | basculer | rediriger) | (transferez | transfere) mon appel | <can> <soft>* transferer mon appel | [me]
  (connecter | transferer) | <want> etre (mis | mise | mise | transfere | transferee | redirige | redirigee | connecte
  | connectee) [<link>];
want = je (veux | voudrais | souhaite | souhaiterais | desire | prefere | prefererais | dois | tiens a) <soft>* | j
  (aimerais | prefere) <soft>* | il faut que je | il faudrait que je | je (veux | voudrais) bien | j ai <soft>* besoin
  (de | d) | j aimerais bien | j ai dit que je voulais;
may = (puis je | pourrais je) <soft>* | [estceque] (je (peux | pourrais) | on (peut | pourrait) | j peux) <soft>* |
  (est il | c est | ce serait | il est | ce est) possible (de | d) | y a moyen de | laissez moi | il y a moyen de;
talk = <want> (parler | parle | discuter) | <may> (parler | discuter) | parler;
join = <want> (joindre | avoir) | <may> (joindre | avoir);
callee = [l | le | la | les] [service | departement | equipe] [de | d | des] [l | le | la] <name> | (<body> | une
  personne | un conseiller | un agent) (de | d | a | chez) [l | le | la | les] <name>;
machine = (une | un | cette | ce | la | le | l) (machine | robot | ordinateur | repondeur | bot | ia | assistant |
  automate) | des (machines | robots);
stranger = [l | le | la | les] <unknown>;
title = monsieur | madame | mademoiselle | docteur | maitre;
anyone = <lead>* (<pass> <soft>* <person> | <send> <soft>* [<to> <person>] | <talk> <soft>* <to> <person> | <join>
  <soft>* <person> | <want> <soft>* (un | une) <kind>* <job> [<real>] | je [ne] veux pas parler <to> <machine> [[mais]
  [je veux parler] <to> <person>] | il y a <person> (a | avec) (qui | laquelle | lequel) (je (peux | pourrais |
  puisse)| on peut) parler | <bare>) <tail>*;
bare = [l | un | une] (operateur | operatrice | standardiste) | (un | une) <kind>* (humain | conseiller | conseillere
  | agent | personne | responsable) [<real>] | conseiller | vraie personne | agent svp | [le] (standard | service
  (client | clients | clientele)) svp;
named = <lead>* (<pass> <soft>* <callee> | <send> <soft>* <to> <callee> | <talk> <soft>* <to> <callee> | <join>
  <soft>* <callee>) <tail>*;
other = <lead>* (<send> <soft>* <to> <stranger> | <pass> <soft>* [le] <title> <unknown>) <tail>*;
answer = <lead>* [je (veux | voudrais)] [a | avec | passez moi] <callee> <tail>*;
whoever = <lead>* (<body> | n importe lequel | n importe laquelle | peu importe | ca m est egal | l un ou l autre |
  celui qui est (la | libre)) <tail>*;
"""

FRENCH = tongue(spelling=_SPELLING, fillers="euh heu hum hm hmm mm", besides=_BESIDES, grammar=_GRAMMAR)
