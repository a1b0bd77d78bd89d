"""Spanish yes and no, of Spain and of Mexico, and what is common further south.

Spanish asks by its voice alone: "es correcto" may be "is it correct?" where the recogniser prints no marks, so such
clauses consent only beside a yes. And without its accent "sí" is "si", which means "if": "si" is a yes at the
beginning alone, and not before a clause.
"""

from itertools import product

from phone_bridge.call.assent.accents import also_plain, phrases
from phone_bridge.call.assent.grammar import Role
from phone_bridge.call.assent.table import table

_NUMERALS = (
    *("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"),
    *("trece", "catorce", "quince", "dieciséis", "diecisiete", "dieciocho", "diecinueve", "veinte"),
)
_SPELLING = {str(value): word for value, word in enumerate(_NUMERALS)} | {
    "ok": "okay",
    "o k": "okay",
    "okey": "okay",
    "oká": "okay",
    "porfa": "por favor",
    "porfis": "por favor",
    "stop": "pare",
    "mm hm": "mhm",
    "m hm": "mhm",
    "dieciseis": "dieciséis",
    "cómo no": "cómono",
    "como no": "cómono",
    "primer": "primero",
}

_FILLER = "eh, ehh, eeh, eeeh, em, emm, hm, hmm, mm, mmm, este"
_MURMUR = "mhm, ajá, aha, ujum, ajam"
_LEAD = "oh, pues, bueno pues"
_TURN = "la verdad, en realidad, mire, mira, oiga, ay, uy, ah"
_COURTESY = """
por favor, gracias, muchas gracias, mil gracias, muy amable, señor, señora, señorita, se lo agradezco, te lo agradezco
"""
_REGRET = "perdón, perdone, perdona, disculpe, disculpa, lo siento, lo siento mucho, lamentablemente"

# Not here: "claro", "vale", "bueno", "dale", "listo" (murmured while listening), "seguro" (probably; insurance),
# "cómo no" (also "what? no"), "uno" (a time; the key is under the thumb), "ya", "hombre sí". Nor, not even beside a
# yes, Mexico's "simón" (somebody's name), "va" and "sale" ("sí va": it is on, the very contrary), "ahorita" (in a
# while).
_YES = """
sí, si, síp, sip, sep, sí señor, sí señora, sí señorita, que sí, sí que sí, claro que sí, pues claro que sí,
por supuesto, por supuesto que sí, desde luego, desde luego que sí, correcto, exacto, exactamente, eso es, eso mismo,
así es, afirmativo, absolutamente, totalmente, totalmente de acuerdo, efectivamente, en efecto, sin duda,
sin duda alguna, sin ninguna duda, sin lugar a dudas, segurísimo, segurísima, obvio, obvio que sí, obviamente,
naturalmente, evidentemente, ciertamente, definitivamente, sí pues, sí po, si po, sipo, sí a todo
"""
_STATEMENT = """
confirmo, lo confirmo, la confirmo, se lo confirmo, te lo confirmo, confirmado, confirmada, confirmar, confírmalo,
confírmelo, confírmala, confírmela, acepto, lo acepto, la acepto, aceptado, aceptada, apruebo, lo apruebo, aprobado,
aprobada, autorizo, lo autorizo, la autorizo, autorizado, autorizada, estoy de acuerdo, yo estoy de acuerdo,
estoy totalmente de acuerdo, estoy completamente de acuerdo, estoy conforme, la respuesta es sí, mi respuesta es sí,
digo que sí, yo digo que sí, le digo que sí, te digo que sí, por mi parte sí, por mí sí, tiene mi consentimiento,
tienes mi consentimiento, tiene mi permiso, tienes mi permiso, tiene mi autorización, tienes mi autorización,
doy mi consentimiento, le doy mi consentimiento, doy mi autorización, le doy mi autorización, doy mi permiso,
le doy permiso, te doy permiso, le doy mi permiso, eso quiero, eso es lo que quiero, es justo lo que quiero,
eso es justo lo que quiero, eso es exactamente lo que quiero, quiero que lo haga, quiero que lo hagas, así lo quiero
"""
_ACT = """
adelante, hazlo, hágalo, hazlo ya, hágalo ya, hazlo ahora, hágalo ahora, hazlo así, hágalo así, hazlo ahora mismo,
hágalo ahora mismo, procede, proceda, sigue adelante, siga adelante, hacelo, hacelo ya, hacelo ahora, hacelo así
"""
_SUPPORT = """
okay, vale, bueno, bien, muy bien, perfecto, perfectamente, genial, estupendo, excelente, fenomenal, listo, venga,
dale, ándale, órale, claro, de acuerdo, conforme, entendido, seguro, cierto, positivo, con gusto, con mucho gusto,
ya mismo, ahora, ahora mismo, inmediatamente, enseguida, tal cual, así, así mismo, sin problema alguno, mero, pues sí,
gracias a usted, todo correcto, todo bien, todo perfecto, completamente, por completo
"""
# What may be an if-clause, or a question, where nothing but the voice tells it; none consents by itself.
_CLAUSES = """
está bien, está muy bien, está perfecto, está correcto, está todo bien, está todo correcto, es correcto, es cierto,
es así, es verdad, es exacto, todo está bien, todo está correcto, eso es correcto, eso está bien, así está bien,
me parece bien, me parece perfecto, me parece muy bien, me parece correcto, me viene bien, me va bien, me conviene,
es lo que quiero, es exactamente lo que quiero, puede hacerlo, puedes hacerlo, lo puede hacer, lo puedes hacer,
puede confirmarlo, puedes confirmarlo, puede proceder, puedes proceder
"""
_ECHOED_CLAUSES = """
quiero, lo quiero, lo quiero así, puede, puedes, estoy seguro, estoy segura, estoy muy seguro, estoy muy segura,
estoy completamente seguro, estoy completamente segura
"""

_BANNED = """
hagas, haga, canceles, cancele, anules, anule, borres, borre, elimines, elimine, quites, quite, cambies, cambie,
muevas, mueva, toques, toque, confirmes, confirme, crees, cree, mandes, mande, envíes, envíe, quiero, confirmo, acepto,
autorizo, apruebo, necesito, deseo
"""
_NEVER = ", ".join(
    f"{no} {verb}"
    for no, verb in product(("no", "no lo", "no la", "no los", "no las", "no me lo", "nunca lo"), phrases(_BANNED))
)
_NO = """
no, nop, nope, nones, nel, no po, nopo,
qué no, que no, pues no, no no, claro que no, por supuesto que no, desde luego que no,
obvio que no, obviamente no, seguro que no, naturalmente que no, no gracias, para nada, nada, en absoluto,
absolutamente no, de ninguna manera, de ninguna forma, de ningún modo, de eso nada, ni hablar, ni de broma, ni loco,
ni loca, ni pensarlo, ni de chiste, qué va, jamás, nunca, nunca jamás, jamás de los jamases, todavía no, aún no,
ahora no, ahora mismo no, ahorita no, hoy no, ya no, ya no gracias, por ahora no, de momento no, por el momento no,
mejor no, mejor que no, casi mejor no, prefiero que no, preferiría que no, prefiero no, prefiero no hacerlo,
preferiría no hacerlo, creo que no, yo creo que no, me parece que no, pienso que no, no creo, no lo creo, yo no creo,
no haga nada, no hagas nada, no haga eso, no hagas eso, no cancele nada, no canceles nada, no cancele la cita,
no canceles la cita, no cancele el evento, no cancele la reunión, no cambie nada, no cambies nada, no toque nada,
no toques nada, no cancelar, no confirmar, no hacer nada, no hacerlo, no estoy de acuerdo, yo no estoy de acuerdo,
no de acuerdo, no me parece, no me parece bien, no me gusta, no me gusta eso, no me convence, no me interesa,
no quiero eso, eso no quiero, ya no quiero, ya no lo quiero, no quiero que lo haga, no quiero que lo hagas,
no quiero que lo cancele, no quiero que lo canceles, no quiero que haga nada, no quiero cancelar, no quiero cancelarlo,
no quiero cancelarla, no quiero cancelar nada, no quiero cambiar nada, no quiero hacerlo, no quiero hacer eso,
no quiero nada, no es eso, eso no, eso no es, eso tampoco, tampoco, no es lo que quiero, eso no es lo que quiero,
eso no es lo que quería, no es lo que quería, no es lo que dije, eso no es lo que dije, no es lo que pedí,
eso no es lo que pedí, no dije eso, yo no dije eso, no he dicho eso, yo no he dicho eso, no pedí eso, yo no pedí eso,
no he pedido eso, yo no he pedido eso, no es correcto, eso no es correcto, no es cierto, eso no es cierto,
no es verdad, no está bien, eso no está bien, no correcto, incorrecto, está mal, eso está mal, mal, es un error,
eso es un error, fue un error, ha sido un error, me equivoqué, me he equivocado, es falso, eso es falso, falso,
negativo, lo rechazo, rechazo, rechazado, rechazar, me niego, me opongo, estoy en contra, en contra,
no doy mi consentimiento, no doy permiso, déjalo, déjelo, déjala, déjela, déjalo así, déjelo así, déjala así,
déjela así, déjalo como está, déjelo como está, déjala como está, déjela como está, déjalo estar, déjelo estar,
déjalo todo como está, déjelo todo como está, deja todo como está, deje todo como está, deja todo así, deje todo así,
déjalo todo así, déjelo todo así, déjalo en paz, dejarlo, dejarlo así, dejarlo como está, dejarlo todo como está,
mejor déjalo, mejor déjelo, mejor déjalo así, mejor déjelo así, mejor dejarlo, mejor dejarlo así, que se quede,
que se quede así, que se quede como está, que siga así, mantenlo, manténgalo, mantenerlo, quiero mantenerlo,
quiero dejarlo, quiero dejarlo así, quiero dejarlo como está, lo quiero mantener, quiero conservarlo, consérvalo,
consérvelo, lo necesito, la necesito, todavía lo necesito, aún lo necesito, lo sigo necesitando, olvídalo, olvídelo,
olvídate, olvida eso, olvide eso, no importa déjalo, no importa déjelo, para, pare, para para, alto, alto ahí, basta,
detente, deténgase, deténlo, deténgalo, abortar, aborta, aborte, cancelar no, he cambiado de idea,
he cambiado de opinión, cambié de idea, cambié de opinión, me arrepentí, me he arrepentido, lo he pensado mejor,
dije no, dije que no, he dicho no, he dicho que no, ya dije que no, digo que no, yo digo que no, le digo que no,
te digo que no, le dije que no, la respuesta es no, mi respuesta es no, lo siento pero no, gracias pero no,
no así está bien, no está bien así, no hace falta, no es necesario, no hay que cancelarlo, no hay que hacerlo, dos,
el dos, opción dos, la opción dos, pulso dos, pulso el dos, pulse dos, marco dos, marco el dos, tecla dos,
la tecla dos, número dos, el número dos
"""

_AGAIN = """
qué, cómo, eh qué, cómo dice, cómo dices, cómo ha dicho, cómo dijo, cómo fue, perdón cómo, perdón qué, mande,
mande usted, qué dice, qué dices, qué dijo, qué dijiste, qué ha dicho, qué has dicho, qué fue eso, qué era eso, qué es,
qué es eso, qué pregunta, cuál es la pregunta, cuál era la pregunta, qué va a hacer, qué vas a hacer, repite, repita,
repítelo, repítalo, repítemelo, repítamelo, repetir, repite eso, repita eso, repita la pregunta, repite la pregunta,
me lo repite, me lo repites, me repite, me lo puede repetir, me lo puedes repetir, me puede repetir, puede repetir,
puede repetirlo, puede repetirme, puede repetirmelo, puede repetir la pregunta, puedes repetir, puedes repetirlo,
puedes repetir la pregunta, podría repetir, podría repetirlo, podría repetir la pregunta, me lo podría repetir,
podrías repetir, podrías repetirlo, otra vez, una vez más, de nuevo, nuevamente, dígalo otra vez, dilo otra vez,
dígalo de nuevo, dilo de nuevo, dígamelo otra vez, dímelo otra vez, dígamelo de nuevo, dímelo de nuevo,
puede decirlo otra vez, puedes decirlo otra vez, quiero oírlo otra vez, quiero oírlo de nuevo,
quiero escucharlo otra vez, quiero escucharlo de nuevo, oírlo otra vez, escucharlo otra vez, no le entendí,
no te entendí, no le he entendido, no te he entendido, no entendí, no entiendo, no lo entendí, no lo entiendo,
no lo he entendido, no he entendido, no le entiendo, no te entiendo, no entendí nada, no entiendo nada, no he oído,
no lo he oído, no he oído nada, no le he oído, no oí, no oí nada, no le oí, no lo oí, no le oigo, no te oigo, no oigo,
no oigo nada, no escuché, no lo escuché, no le escuché, no te escuché, no escucho, no le escucho, no te escucho,
no se oye, no se escucha, no se oye nada, no he escuchado, no lo he escuchado, cuál, cuáles, cuál es, cuál cita,
cuál evento, qué cita, qué evento, qué reunión, a qué hora, a qué hora es, cuándo, cuándo es, cuándo era, dónde,
dónde es, quién, quién es, con quién, con quién es, asterisco, pulso asterisco, marco asterisco, tecla asterisco,
estrella, la estrella, me repetís, podés repetir,
podés repetirlo, repetí, repetime, repetímelo, cómo decís, sigue ahí, sigues ahí, está ahí, estás ahí, hay alguien,
hay alguien ahí, hola, aló, perdón,
perdone, perdona, disculpe, disculpa
"""

_DOUBT = """
hazlo bien, hágalo bien, bien gracias, bien así, así está bien, así está perfecto, así está correcto, así está todo,
pero, aunque, porque, salvo, excepto, menos, a menos, sino, siempre que, siempre y cuando, cuando, hasta que,
después de, antes de, a condición, o, ni, y, quizá, quizás, tal vez, a lo mejor, puede que, puede que sí, puede ser,
podría ser, probablemente, posiblemente, seguramente, igual sí, creo, creo que sí, creo yo, yo creo, yo creo que sí,
supongo, supongo que sí, imagino, imagino que sí, me imagino, me imagino que sí, espero, espero que sí, parece que sí,
me parece que sí, diría, diría que sí, yo diría que sí, pienso que sí, depende, según, no sé, no lo sé,
no sabría decir, yo no sé, ni idea, no tengo idea, no estoy seguro, no estoy segura, no estoy muy seguro,
no estoy muy segura, no seguro, no sí, no claro, no del todo, no exactamente, no necesariamente, no siempre, no solo,
no digo que sí, no digo que no, no diría que no, no digo no, no he dicho que sí, no dije que sí, no me digas,
no me diga, no lo dude, no dudes, no lo dudes, no dude, no dejes de, no deje de, no lo dejes, no lo deje,
no hay problema, no hay ningún problema, no hay inconveniente, no hay de qué, no tengo inconveniente, no veo problema,
no veo por qué no, no veo inconveniente, no me importa, no me molesta, no me opongo, no importa, no pasa nada,
ni sí ni no, sí y no, sí o no, más o menos, así así, a medias, casi, casi casi, a ver, vamos a ver, ya veremos,
veremos, espera, espere, espérame, espéreme, espéreme tantito, un momento, un momentito, momento, un segundo,
un segundito, un minuto, un instante, tantito, aguarda, aguarde, déjame pensar, déjeme pensar, déjame ver, déjeme ver,
déjame pensarlo, déjeme pensarlo, tengo que pensar, tengo que pensarlo, lo estoy pensando, tengo que preguntar,
tengo que consultar, tengo que consultarlo, sin problema, sin problemas, ningún problema, por mí vale, por mí bien,
me da igual, da igual, da lo mismo, me da lo mismo, lo que quiera, lo que quieras, lo que sea, lo que diga,
lo que digas, como quiera, como quieras, como usted quiera, como usted diga, como diga, como digas, como tú digas,
si quiere, si quieres, si puede, si puedes, si es posible, por qué, por qué no, para qué, cómono, sí bueno,
sí sí seguro, ajá sí, está seguro que, seguro que, seguro que sí, estás seguro, está segura, o sea, sí ya, ya veo,
ya claro, ya sé, ya lo sé, claro claro, ah sí, ah ya, ay sí, uy sí, ya sí, sí hombre, sí mujer, sí cómo, sí claro ajá,
sí seguro que, ajá sí claro, sí sí claro ajá, sí sí lo que, entiendo, entendí, le escucho, te escucho, le oigo,
te oigo, estoy aquí, sigo aquí, dígame, dime, diga, soy yo, uno, el uno, pulso uno, pulse uno, marco uno, marco el uno,
opción uno, la opción uno, ahora sí, hoy sí, eso sí, tú sí, usted sí, él sí, ella sí, yo sí, ellos sí, un sí, el sí,
di sí, diga sí, digo sí, decir sí, dijo sí, dice sí, dije que sí, dice que sí, dijo que sí, ha dicho que sí,
he dicho que sí, decir que sí, diga que sí, di que sí, claro ajá, pues a ver, pues nada, sí perdón, perdón sí,
lo siento sí, sí este, sí mismo, ya está, ya confirmé, ya está confirmado, está confirmado, todo correcto menos,
eso es todo
"""

_WISH = """
mejor muévelo, mejor a, mejor el, mejor la, mejor por, mejor mañana, mejor más, mejor otro, mejor otra, mejor cámbialo,
muévelo, muévela, muévalo, muévala, mueve, mueva, mover, moverlo, moverla, movemos, cámbialo, cámbiala, cámbielo,
cámbiela, cambia, cambie, cambiar, cambiarlo, cambiarla, pásalo, pásala, páselo, pásela, pasarlo, pasarla, pásame,
páseme, ponlo, ponla, póngalo, póngala, ponme, póngame, ponerlo, ponerla, aplázalo, aplázala, aplácelo, aplácela,
aplazar, aplazarlo, posponlo, posponla, pospóngalo, pospóngala, posponer, posponerlo, retrásalo, retrásela, retráselo,
retrasar, retrasarlo, adelántalo, adelántelo, adelantarlo, adelanta, reprográmalo, reprogramarlo, reprograma,
reprogramar, reagéndalo, reagendarlo, reagendar, agéndalo, agéndelo, agenda, agendar, añade, añada, añadir, añádelo,
agrega, agregue, agregar, invita, invite, invitar, avisa, avise, avisar, avísale, avísele, dile, dígale, díganle,
mándale, mándele, manda, envía, envíale, envíele, recuérdamelo, recuérdemelo, recuérdame, recuérdeme, llámame, llámeme,
crea, cree, crear, créame, apunta, apunte, reserva, reserve, haz otro, el otro, la otra, los otros, las otras, otro,
otra, otro día, otra hora, el primero, la primera, el segundo, la segunda, el último, la última, solo, solamente,
únicamente, todos, todas, ambos, ambas, los dos, las dos, también, además, en vez, en vez de, en lugar de, en su lugar,
prefiero el, prefiero la, prefiero a, prefiero mover, prefiero moverlo, prefiero cambiarlo, preferiría, preferiría el,
quisiera, me gustaría, quiero mover, quiero moverlo, quiero cambiarlo, quiero cambiar, quiero el, quiero la, quiero a,
quiero otra, quiero otro, quiero una, quiero un, quiero cancelar el, quiero cancelar la, necesito cambiarlo,
necesito que, necesito otra, necesito otro, necesito mover, que sea, que sean, podrías, podría, podemos, puede moverlo,
puede cambiarlo, puedes moverlo, puedes cambiarlo, puede ponerlo, puedes ponerlo, puede ser el, puede ser a,
puede ser más, qué tal, y si, qué tengo, tengo algo, estoy libre, tengo libre, mi próxima cita, me refiero, me refería,
quise decir, quería decir, dije el, dije a, he dicho a, he dicho el, no los dos, lunes, martes, miércoles, jueves,
viernes, sábado, domingo, enero, febrero, abril, mayo, junio, julio, agosto, septiembre, setiembre, octubre, noviembre,
diciembre, mañana, pasado mañana, esta tarde, esta noche, esta mañana, hoy a, semana, mes que viene, próxima semana,
próximo, próxima, fin de semana, mediodía, medianoche, más tarde, más temprano, más pronto, antes, después, luego,
de la tarde, de la noche, de la mañana, por la tarde, por la noche, y media, y cuarto, menos cuarto, media hora,
una hora, hora más, horas, hora antes, minutos, a la una, la una, a las dos, las dos de
"""
_DIGITS = ", ".join(str(value) for value in range(21, 61))
_NUMBER = ", ".join((*_NUMERALS[3:], "treinta", "cuarenta", "cincuenta", "veintiuno", "veinticinco"))
_STEM = """
cancela, cancele, cancelar, borra, borre, elimina, elimine, con, a las, a la, hasta, para el, para la, no el, no la,
no cancele, no canceles
"""

_KEPT = frozenset({"sí", "qué", "cómo"})  # "si" is if, "que" is that, "como" is as
_SURE = f"{_STATEMENT}, {_ACT}, {_SUPPORT}, {_CLAUSES}, {_ECHOED_CLAUSES}, {_COURTESY}"
_YESES = [yes for yes in phrases(_YES) if yes != "si"]
_MORE_CONDITIONS = """
si vale, si bien, si cierto, si listo, si así, si bueno sí, si claro sí, si todo correcto, si todo bien,
si todo perfecto
"""
_DEEDS = {
    "cancelar": """
        cancélalo, cancélelo, cancélala, cancélela, cancela, cancele, cancelar, cancelarlo, cancela la cita,
        cancele la cita, cancelar la cita, cancela el evento, cancele el evento, anúlalo, anúlelo, anúlala, anúlela,
        anula, anule, anularlo, bórralo, bórrelo, elimínalo, elimínelo, quítalo, quítelo, quiero cancelarlo,
        quiero cancelarla, quiero que lo cancele, quiero que lo canceles, quiero anularlo, puede cancelarlo,
        puedes cancelarlo, puede cancelarla, puede anularlo
    """,
    "crear": "créalo, créelo, créala, créela, crear, crearlo, apúntalo, apúntelo, agéndalo, agéndelo",
    "mover": "muévelo, muévalo, muévela, muévala, mover, moverlo, cámbialo, cámbielo",
    "enviar": "envíalo, envíelo, mándalo, mándelo, enviar, enviarlo, avísales, avíseles",
}
_ANY_DEED = ", ".join(_DEEDS.values())


def _conditions() -> str:
    """Spell what is an if-clause where the accent is missing, and "that is" before what it may be said of."""
    clauses = phrases(f"{_STATEMENT}, {_ACT}, {_CLAUSES}, {_ECHOED_CLAUSES}, {_ANY_DEED}, así es, eso es, eso mismo")
    said = [*(f"si {clause}" for clause in clauses), *(f"{before} si" for before in (*phrases(_SURE), *_YESES))]
    said += [_MORE_CONDITIONS, *(f"si {yes}" for yes in _YESES if "sí" in yes.split())]
    said += [f"{it_is} {what}" for it_is, what in product(("eso es", "así es"), (*phrases(_SUPPORT), *_YESES))]
    return ", ".join(said)


def _role(text: str) -> str:
    return also_plain(text, _KEPT)


SPANISH = table(
    spelling=_SPELLING,
    sounds={"si": "sí", "oirlo": "oírlo", "oh": "o", "ha": "a", "ah": "a"},
    roles={
        Role.FILLER: _FILLER,
        Role.MURMUR: _role(_MURMUR),
        Role.LEAD: _LEAD,
        Role.TURN: _TURN,
        Role.COURTESY: _role(_COURTESY),
        Role.REGRET: _role(_REGRET),
        Role.YES: _role(_YES),
        Role.STATEMENT: _role(_STATEMENT),
        Role.ACT: _role(_ACT),
        Role.ECHOED: _role(_ECHOED_CLAUSES),
        Role.SUPPORT: _role(f"{_SUPPORT}, {_CLAUSES}"),
        Role.NO: _role(f"{_NO}, {_NEVER}"),
        Role.AGAIN: f"{_role(_AGAIN)}, que dice, como dice",
        Role.DOUBT: _role(f"{_DOUBT}, {_conditions()}"),
        Role.WISH: _role(_WISH),
        Role.NUMBER: _role(f"{_NUMBER}, {_DIGITS}"),
        Role.STEM: _STEM,
    },
    intro="voy a",
    asked={"cancelar": "cancelar", "cancelar todos": "", "crear": "crear", "mover": "mover", "enviar": "enviar"},
    deeds={kind: _role(deeds) for kind, deeds in _DEEDS.items()},
)
