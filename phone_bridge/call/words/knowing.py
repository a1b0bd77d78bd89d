"""What a caller hears who is asked for a code, or sets a PIN; and what their telephone is sent.

They are seldom said, so they are made when they are wanted, and not before.
"""

from phone_bridge.call import words
from phone_bridge.call.commands import Line

SENTENCES = {
    "en": {
        "code_ask": (
            "For this I am sending a code of six digits to your telephone. Enter it on the keys when it has come. "
            "Press star for another one, or the hash key alone to do without."
        ),
        "code_enter": (
            "I am sending a code of six digits to your telephone. Please enter it on the keys when it has come. "
            "Press star for another one."
        ),
        "code_voice": "Or say it, digit by digit.",
        "code_again": "Please enter the code again, from its first digit.",
        "code_another": "I am sending you another code. The one before it counts no more.",
        "code_waiting": "I am waiting for the code. Press star for another one, or the hash key alone to do without.",
        "code_wrong": "That was not right. Please enter the code once more.",
        "code_refused": "I need the right code for this, so nothing was done.",
        "code_left": "All right. Without the code nothing was done.",
        "code_late": "I got no code, so nothing was done.",
        "code_locked": "There were too many codes, so I cannot take one now. Nothing was done. Please try again later.",
        "code_missing": "That code counts no more, so nothing was done.",
        "code_unsent": "I cannot send you a code now, so nothing was done.",
        "code_failed": "I cannot check the code now, so nothing was done.",
        "goodbye_code": "I cannot go on without the right code. Goodbye.",
        "goodbye_code_locked": "There were too many codes. Please call again later. Goodbye.",
        "goodbye_code_unable": "I am sorry, I cannot send or check a code. Please call again later. Goodbye.",
        "pin_old": (
            "To change your PIN, first enter the one that you have, and end with the hash key. "
            "Press the hash key alone to leave it as it is."
        ),
        "pin_barred": "You have no PIN, and I may not set one on this call.",
        "pin_may_set": "Say that you want to set a PIN, and I shall help you.",
        "new_none": "You have no PIN yet.",
        "new_ask": (
            "Enter the new PIN on the keys, six to twelve digits, and end with the hash key. "
            "Press the hash key alone to leave things as they are."
        ),
        "new_once_more": "Please enter it once more.",
        "new_again": "Please enter it again, from its first digit.",
        "new_short": "A PIN has six to twelve digits. Please enter another one.",
        "new_weak": (
            "That one is too easy to guess. Please enter another, which is no date and does not count up, down or "
            "repeat itself."
        ),
        "new_same": "That is the PIN that you have. Please enter another one.",
        "new_differs": "The two were not alike. Please enter the new PIN again.",
        "new_changed": "Your PIN is changed. What else can I do for you?",
        "new_set": "Your PIN is set. What else can I do for you?",
        "new_left": "All right, I left it as it is.",
        "new_late": "I got no new PIN, so I left it as it is.",
        "new_refused": "That did not succeed, so I left it as it is.",
        "new_failed": "Something went wrong on my side, and your PIN may not be changed. Please try again later.",
    },
    "de": {
        "code_ask": (
            "Dafür sende ich einen Code mit sechs Ziffern an Ihr Telefon. Geben Sie ihn mit den Tasten ein, wenn er da "
            "ist. Mit der Sterntaste bekommen Sie einen neuen, mit der Rautetaste allein verzichten Sie."
        ),
        "code_enter": (
            "Ich sende einen Code mit sechs Ziffern an Ihr Telefon. Bitte geben Sie ihn mit den Tasten ein, wenn er da "
            "ist. Mit der Sterntaste bekommen Sie einen neuen."
        ),
        "code_voice": "Oder sagen Sie ihn, Ziffer für Ziffer.",
        "code_again": "Bitte geben Sie den Code noch einmal ein, von der ersten Ziffer an.",
        "code_another": "Ich sende Ihnen einen neuen Code. Der vorige gilt nicht mehr.",
        "code_waiting": (
            "Ich warte auf den Code. Mit der Sterntaste bekommen Sie einen neuen, mit der Rautetaste allein "
            "verzichten Sie."
        ),
        "code_wrong": "Das war nicht richtig. Bitte geben Sie den Code noch einmal ein.",
        "code_refused": "Dafür brauche ich den richtigen Code, also wurde nichts getan.",
        "code_left": "In Ordnung. Ohne den Code wurde nichts getan.",
        "code_late": "Ich habe keinen Code bekommen, also wurde nichts getan.",
        "code_locked": (
            "Es gab zu viele Codes, deshalb nehme ich jetzt keinen an. Es wurde nichts getan. Bitte versuchen Sie es "
            "später wieder."
        ),
        "code_missing": "Dieser Code gilt nicht mehr, also wurde nichts getan.",
        "code_unsent": "Ich kann Ihnen gerade keinen Code senden, also wurde nichts getan.",
        "code_failed": "Ich kann den Code gerade nicht prüfen, also wurde nichts getan.",
        "goodbye_code": "Ohne den richtigen Code kann ich nicht weitermachen. Auf Wiederhören.",
        "goodbye_code_locked": "Es gab zu viele Codes. Bitte rufen Sie später wieder an. Auf Wiederhören.",
        "goodbye_code_unable": (
            "Es tut mir leid, ich kann keinen Code senden oder prüfen. Bitte rufen Sie später wieder an. "
            "Auf Wiederhören."
        ),
        "pin_old": (
            "Um Ihre PIN zu ändern, geben Sie zuerst die bisherige ein und schließen Sie mit der Rautetaste ab. "
            "Mit der Rautetaste allein bleibt sie, wie sie ist."
        ),
        "pin_barred": "Sie haben keine PIN, und ich darf in diesem Gespräch keine einrichten.",
        "pin_may_set": "Sagen Sie, dass Sie eine PIN einrichten möchten, dann helfe ich Ihnen.",
        "new_none": "Sie haben noch keine PIN.",
        "new_ask": (
            "Geben Sie die neue PIN mit den Tasten ein, sechs bis zwölf Ziffern, und schließen Sie mit der Rautetaste "
            "ab. Mit der Rautetaste allein bleibt alles, wie es ist."
        ),
        "new_once_more": "Bitte geben Sie sie noch einmal ein.",
        "new_again": "Bitte geben Sie sie noch einmal ein, von der ersten Ziffer an.",
        "new_short": "Eine PIN hat sechs bis zwölf Ziffern. Bitte geben Sie eine andere ein.",
        "new_weak": (
            "Diese ist zu leicht zu erraten. Bitte geben Sie eine andere ein, die kein Datum ist, nicht auf- oder "
            "abwärts zählt und sich nicht wiederholt."
        ),
        "new_same": "Das ist die PIN, die Sie schon haben. Bitte geben Sie eine andere ein.",
        "new_differs": "Die beiden waren nicht gleich. Bitte geben Sie die neue PIN noch einmal ein.",
        "new_changed": "Ihre PIN ist geändert. Was kann ich noch für Sie tun?",
        "new_set": "Ihre PIN ist eingerichtet. Was kann ich noch für Sie tun?",
        "new_left": "In Ordnung, ich habe alles so gelassen, wie es ist.",
        "new_late": "Ich habe keine neue PIN bekommen, also bleibt alles, wie es ist.",
        "new_refused": "Das hat nicht geklappt, also bleibt alles, wie es ist.",
        "new_failed": (
            "Bei mir ist etwas schiefgegangen, und Ihre PIN ist vielleicht nicht geändert. Bitte versuchen Sie es "
            "später wieder."
        ),
    },
    "es": {
        "code_ask": (
            "Para esto envío un código de seis cifras a su teléfono. Márquelo con las teclas cuando haya llegado. "
            "Pulse asterisco para recibir otro, o solo almohadilla, o numeral, para seguir sin él."
        ),
        "code_enter": (
            "Envío un código de seis cifras a su teléfono. Por favor, márquelo con las teclas cuando haya llegado. "
            "Pulse asterisco para recibir otro."
        ),
        "code_voice": "O dígalo, cifra por cifra.",
        "code_again": "Por favor, marque el código otra vez, desde la primera cifra.",
        "code_another": "Le envío otro código. El anterior ya no vale.",
        "code_waiting": (
            "Espero el código. Pulse asterisco para recibir otro, o solo almohadilla, o numeral, para seguir sin él."
        ),
        "code_wrong": "No era correcto. Por favor, marque el código una vez más.",
        "code_refused": "Para esto necesito el código correcto, así que no se ha hecho nada.",
        "code_left": "De acuerdo. Sin el código no se ha hecho nada.",
        "code_late": "No he recibido ningún código, así que no se ha hecho nada.",
        "code_locked": (
            "Ha habido demasiados códigos, así que ahora no puedo aceptar ninguno. No se ha hecho nada. "
            "Por favor, inténtelo más tarde."
        ),
        "code_missing": "Ese código ya no vale, así que no se ha hecho nada.",
        "code_unsent": "Ahora no puedo enviarle un código, así que no se ha hecho nada.",
        "code_failed": "Ahora no puedo comprobar el código, así que no se ha hecho nada.",
        "goodbye_code": "Sin el código correcto no puedo continuar. Adiós.",
        "goodbye_code_locked": "Ha habido demasiados códigos. Por favor, vuelva a llamar más tarde. Adiós.",
        "goodbye_code_unable": (
            "Lo siento, no puedo enviar ni comprobar un código. Por favor, vuelva a llamar más tarde. Adiós."
        ),
        "pin_old": (
            "Para cambiar su PIN, marque primero el que tiene y termine con la tecla almohadilla, o numeral. "
            "Pulse solo almohadilla para dejarlo como está."
        ),
        "pin_barred": "No tiene ningún PIN, y en esta llamada no puedo fijar uno.",
        "pin_may_set": "Diga que quiere crear un PIN, y le ayudaré.",
        "new_none": "Todavía no tiene ningún PIN.",
        "new_ask": (
            "Marque el nuevo PIN con las teclas, de seis a doce cifras, y termine con la tecla almohadilla, o numeral. "
            "Pulse solo almohadilla para dejar todo como está."
        ),
        "new_once_more": "Por favor, márquelo una vez más.",
        "new_again": "Por favor, márquelo otra vez, desde la primera cifra.",
        "new_short": "Un PIN tiene de seis a doce cifras. Por favor, marque otro.",
        "new_weak": (
            "Ese es demasiado fácil de adivinar. Por favor, marque otro, que no sea una fecha, no cuente hacia arriba "
            "ni hacia abajo y no se repita."
        ),
        "new_same": "Ese es el PIN que ya tiene. Por favor, marque otro.",
        "new_differs": "Los dos no eran iguales. Por favor, marque el nuevo PIN otra vez.",
        "new_changed": "Su PIN ha cambiado. ¿En qué más puedo ayudarle?",
        "new_set": "Su PIN ya está creado. ¿En qué más puedo ayudarle?",
        "new_left": "De acuerdo, lo he dejado todo como está.",
        "new_late": "No he recibido un nuevo PIN, así que lo dejo todo como está.",
        "new_refused": "No ha sido posible, así que lo dejo todo como está.",
        "new_failed": "Algo ha fallado, y puede que su PIN no haya cambiado. Por favor, inténtelo más tarde.",
    },
    "fr": {
        "code_ask": (
            "Pour cela, j'envoie un code de six chiffres à votre téléphone. Tapez-le quand il sera arrivé. "
            "Tapez étoile pour en recevoir un autre, ou dièse seul, ou carré, pour vous en passer."
        ),
        "code_enter": (
            "J'envoie un code de six chiffres à votre téléphone. Veuillez le taper quand il sera arrivé. "
            "Tapez étoile pour en recevoir un autre."
        ),
        "code_voice": "Ou dites-le, chiffre par chiffre.",
        "code_again": "Veuillez taper le code à nouveau, depuis le premier chiffre.",
        "code_another": "Je vous envoie un autre code. Le précédent n'est plus valable.",
        "code_waiting": (
            "J'attends le code. Tapez étoile pour en recevoir un autre, ou dièse seul, ou carré, pour vous en passer."
        ),
        "code_wrong": "Ce n'était pas le bon. Veuillez taper le code reçu encore une fois.",
        "code_refused": "Pour cela, il me faut le bon code reçu, rien n'a donc été fait.",
        "code_left": "D'accord. Sans le code reçu, rien n'a été fait.",
        "code_late": "Je n'ai pas eu le code envoyé, rien n'a donc été fait.",
        "code_locked": (
            "Il y a eu trop de codes envoyés, je ne peux donc pas en accepter maintenant. Rien n'a été fait. "
            "Veuillez réessayer plus tard."
        ),
        "code_missing": "Ce code n'est plus valable, rien n'a donc été fait.",
        "code_unsent": "Je ne peux pas vous envoyer de code pour le moment, rien n'a donc été fait.",
        "code_failed": "Je ne peux pas vérifier le code reçu pour le moment, rien n'a donc été fait.",
        "goodbye_code": "Sans le bon code reçu, je ne peux pas continuer. Au revoir.",
        "goodbye_code_locked": "Il y a eu trop de codes envoyés. Veuillez rappeler plus tard. Au revoir.",
        "goodbye_code_unable": (
            "Je suis désolé, je ne peux ni envoyer ni vérifier un code. Veuillez rappeler plus tard. Au revoir."
        ),
        "pin_old": (
            "Pour changer votre code secret, tapez d'abord celui que vous avez et terminez par la touche dièse, ou "
            "carré. Tapez dièse seul pour le laisser tel quel."
        ),
        "pin_barred": "Vous n'avez pas de code secret, et je ne peux pas en créer un pendant cet appel.",
        "pin_may_set": "Dites que vous voulez créer un code secret, et je vous aiderai.",
        "new_none": "Vous n'avez pas encore de code secret.",
        "new_ask": (
            "Tapez le nouveau code secret, de six à douze chiffres, et terminez par la touche dièse, ou carré. "
            "Tapez dièse seul pour tout laisser tel quel."
        ),
        "new_once_more": "Veuillez le taper encore une fois.",
        "new_again": "Veuillez le taper à nouveau, depuis le premier chiffre.",
        "new_short": "Un code secret a de six à douze chiffres. Veuillez en taper un autre.",
        "new_weak": (
            "Celui-ci est trop facile à deviner. Veuillez en taper un autre, qui ne soit pas une date, ne se suive pas "
            "et ne se répète pas."
        ),
        "new_same": "C'est le code secret que vous avez déjà. Veuillez en taper un autre.",
        "new_differs": "Les deux n'étaient pas pareils. Veuillez taper à nouveau le nouveau code secret.",
        "new_changed": "Votre code secret est changé. Que puis-je faire d'autre pour vous ?",
        "new_set": "Votre code secret est créé. Que puis-je faire d'autre pour vous ?",
        "new_left": "D'accord, j'ai tout laissé tel quel.",
        "new_late": "Je n'ai pas reçu de nouveau code secret, je laisse donc tout tel quel.",
        "new_refused": "Cela n'a pas abouti, je laisse donc tout tel quel.",
        "new_failed": (
            "Quelque chose s'est mal passé de mon côté, et votre code secret n'est peut-être pas changé. Veuillez "
            "réessayer plus tard."
        ),
    },
}
"""By language, then by key, which is also the name of a recorded file; beside them those of ``words`` are used."""

TEXTS = {
    "en": {
        "code": "{} is your code for the telephone. It counts for {} minutes and for one call. Tell it to nobody else.",
        "changed": "Your PIN for the telephone was set by phone just now. If it was not you, tell your administrator.",
    },
    "de": {
        "code": "{} ist Ihr Code für das Telefon. Er gilt {} Minuten für einen Anruf. Nennen Sie ihn sonst niemandem.",
        "changed": (
            "Ihre PIN für das Telefon wurde soeben per Anruf gesetzt. Waren Sie das nicht, sagen Sie es Ihrem "
            "Administrator."
        ),
    },
    "es": {
        "code": "{} es su código para el teléfono. Vale {} minutos y para una llamada. No se lo diga a nadie más.",
        "changed": (
            "Su PIN para el teléfono se acaba de fijar por llamada. Si no ha sido usted, avise a su administrador."
        ),
    },
    "fr": {
        "code": (
            "{} est votre code pour le téléphone. Il vaut {} minutes et pour un appel. Ne le dites à personne d'autre."
        ),
        "changed": (
            "Votre code secret pour le téléphone vient d'être fixé par appel. Si ce n'était pas vous, prévenez votre "
            "administrateur."
        ),
    },
}
"""By language, then by what a text message is about; the code and its minutes fill ``{}``."""


def line(key: str, language: str) -> Line:
    """Give the sentence ``key``, of these or of the fixed ones."""
    table = SENTENCES[words.known(language)]
    return Line(key, table[key]) if key in table else words.line(key, language)


def code(code: str, minutes: int, language: str) -> str:
    """Write the message that carries a code."""
    return TEXTS[words.known(language)]["code"].format(code, minutes)


def changed(language: str) -> str:
    """Write the message that tells a user of another PIN."""
    return TEXTS[words.known(language)]["changed"]
