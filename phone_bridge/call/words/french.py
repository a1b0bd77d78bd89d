"""What the bridge says in French, in words that France, Québec and Belgium share."""

from datetime import date, time

from phone_bridge.call.words.tongue import Tongue

_WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
_HOURS = {0: "0 heure", 1: "une heure", 21: "vingt et une heures"}  # synthesisers read "1 heure" as "un heure"

SENTENCES = {
    "greeting": "Bonjour, ici votre assistant d'agenda. Comment puis-je vous aider ?",
    "one_moment": "Un instant, s'il vous plaît.",
    "apology_unavailable": (
        "Je suis désolé, je n'arrive pas à joindre votre assistant d'agenda. Veuillez rappeler plus tard. Au revoir."
    ),
    "apology_onward": "Je suis désolé, je n'arrive pas à joindre votre assistant d'agenda pour le moment.",
    "apology_busy": (
        "Je suis désolé, toutes nos lignes sont occupées. Veuillez rappeler dans quelques minutes. Au revoir."
    ),
    "still_there": "Êtes-vous toujours là ?",
    "goodbye_silence": "Je ne vous entends pas, je mets donc fin à cet appel. Au revoir.",
    "goodbye_limit": "Cet appel a atteint sa durée maximale, j'y mets donc fin. Au revoir.",
    "goodbye": "Au revoir.",
    "keys": (
        "Tapez 1 ou dites oui pour confirmer, tapez 2 ou dites non pour tout laisser tel quel. "
        "Tapez étoile pour réécouter."
    ),
    "keypad": ("Veuillez utiliser les touches, 1 pour confirmer, 2 pour tout laisser tel quel, étoile pour réécouter."),
    "wrong_key": "Cette touche ne correspond à aucun choix.",
    "unclear_once": "Il me faut une réponse claire.",
    "expired": "Je n'ai pas entendu de réponse, rien n'a donc été changé.",
    "withdrawn": "Votre assistant ne pose plus cette question.",
    "not_asked": "Je n'ai pas pu vous consulter au sujet d'un changement, rien n'a donc été changé.",
    "confirmed_by_preference": "Comme vous l'avez souhaité, sans vous demander confirmation :",
    "outcome_unknown": "Je ne sais pas si cela a été fait. Veuillez vérifier votre agenda.",
    "cut_off": "Pardon, nous avons été coupés. Je suis de nouveau avec vous.",
    "done_before": "Ce que vous avez confirmé a été fait.",
    "not_done": "Ce que vous avez confirmé n'a pas été fait.",
    "again_done": "Vous avez confirmé cela avant la coupure, et cela a été fait.",
    "again_unknown": "Vous avez confirmé cela avant la coupure, et je ne sais pas si cela a été fait.",
    "apology_failed": "Je suis désolé, quelque chose a échoué de mon côté. Veuillez rappeler. Au revoir.",
    "errand_keys": (
        "Tapez 1 ou dites compris. Tapez 2 pour que je rappelle plus tard, 3 pour parler à votre assistant, "
        "ou 9 pour ne plus recevoir de tels appels. Tapez étoile pour réécouter."
    ),
    "errand_when": (
        "Quand dois-je rappeler ? Dites par exemple dans vingt minutes, ou tapez les minutes puis la touche dièse, "
        "ou carré."
    ),
    "errand_thanks": "Merci. Au revoir.",
    "errand_stopped": "Vous ne recevrez plus de tels appels. Au revoir.",
    "errand_assistant": "Je vous mets en communication avec votre assistant.",
    "errand_unanswered": "Je n'ai pas entendu de réponse, je mets donc fin à cet appel. Au revoir.",
    "screened": "Ceci est un appel automatique d'un assistant d'agenda.",
    "pin_ask": (
        "Pour cela, il me faut votre code. Tapez-le et terminez par la touche dièse, ou carré. "
        "Tapez étoile pour recommencer, ou dièse seul pour vous en passer."
    ),
    "pin_enter": (
        "Veuillez taper votre code et terminer par la touche dièse, ou carré. Tapez étoile pour recommencer."
    ),
    "pin_voice": "Ou dites-le, chiffre par chiffre.",
    "pin_again": "Veuillez taper votre code à nouveau, depuis le premier chiffre.",
    "pin_wrong": "Ce n'était pas le bon. Veuillez taper votre code encore une fois, sur les touches.",
    "pin_right": "Merci.",
    "pin_welcome": "Merci. Comment puis-je vous aider ?",
    "pin_refused": "Pour cela, il me faut le bon code, rien n'a donc été fait.",
    "pin_left": "D'accord. Sans le code, rien n'a été fait.",
    "pin_late": "Je n'ai pas reçu de code, rien n'a donc été fait.",
    "pin_locked": (
        "Il y a eu trop de codes erronés, je ne peux donc pas en accepter maintenant. Rien n'a été fait. "
        "Veuillez réessayer plus tard."
    ),
    "pin_missing": "Pour cela, il me faut un code, et il n'y en a pas. Rien n'a été fait.",
    "pin_failed": "Je ne peux pas vérifier votre code pour le moment, rien n'a donc été fait.",
    "goodbye_pin": "Sans le bon code, je ne peux pas continuer. Au revoir.",
    "goodbye_pin_locked": "Il y a eu trop de codes erronés. Veuillez rappeler plus tard. Au revoir.",
    "goodbye_pin_unable": "Je suis désolé, je ne peux pas vérifier votre code. Veuillez rappeler plus tard. Au revoir.",
    "recording_announcement": "Cet appel est enregistré.",
    "goodbye_drain": "Je suis désolé, je dois mettre fin à cet appel. Veuillez rappeler dans un instant. Au revoir.",
}
LATER = {
    "minute": "Je rappellerai dans une minute. Au revoir.",
    "minutes": "Je rappellerai dans {} minutes. Au revoir.",
    "hour": "Je rappellerai dans une heure. Au revoir.",
    "hours": "Je rappellerai dans {} heures. Au revoir.",
    "day": "Je rappellerai demain à la même heure. Au revoir.",
    "days": "Je rappellerai dans {} jours. Au revoir.",
}
REFUSAL = "Non, s'il vous plaît, laissez les choses comme elles sont."
UNPROVEN = "Je n'ai pas prouvé qui je suis, laissez donc les choses comme elles sont, s'il vous plaît."
ALREADY = "J'ai répondu à cela avant la coupure. Vérifiez si cela a été fait avant de le proposer à nouveau."
OFFER = "Pour le français, tapez {}."
PREFERENCE = "Parlez français avec moi, s'il vous plaît."

_PHRASES = {
    "question": "Je vais {}.",
    "summary": "Selon les mots de l'assistant : {}.",
    "unknown_tool": "exécuter {}",
    "nameless_tool": "exécuter quelque chose qui n'a pas de nom",
    "detail": "{} : {}",
    "without": "sans {}",
    "further": "et {} autres précisions",
    "and": "{} et {}",
    "more": "{} autres",
    "switched_on": "activé",
    "switched_off": "désactivé",
    "very_large": "un très grand nombre",
    "and_so_on": "et ainsi de suite",
    "day_at": "{} à {}",
    "on": "le {}",
    "to": "au {}",
    "from": "à partir du {}",
    "from_to": "de {} à {}",
    "until": "jusqu'au {}",
    "all_day": "toute la journée du {}",
    "ending": "avec une fin le {}",
    "for": "pendant {}",
    "of": "de {}",
    "minute": "une minute",
    "minutes": "{} minutes",
    "hour": "une heure",
    "hours": "{} heures",
    "day": "un jour",
    "days": "{} jours",
    "daily": "chaque jour",
    "weekly": "chaque semaine",
    "monthly": "chaque mois",
    "yearly": "chaque année",
    "daily_each": "tous les {} jours",
    "weekly_each": "toutes les {} semaines",
    "monthly_each": "tous les {} mois",
    "yearly_each": "tous les {} ans",
    "on_days": "{}",
    "times": "{} fois",
    "repeating": "avec répétition",
    "place": "lieu : {}",
    "place_from": "au départ de : {}",
    "place_to": "vers : {}",
    "point": "un point sur la carte",
    "with_one": "avec {}",
    "with_many": "avec {} personnes : {}",
    "nobody": "sans aucun invité",
    "somebody": "quelqu'un",
    "online": "en ligne",
    "in_person": "sur place",
    "both": "en ligne et sur place",
    "new_title": "avec le nouveau titre {}",
    "calendar": "dans un agenda particulier",
    "invitations": "en envoyant des invitations",
    "notify": "en prévenant tous les invités",
    "following": "avec tous les suivants de la série",
    "all": "avec toute la série",
    "also": "ce qui touche aussi {}",
    "by": "avec {} de retard",
    "before_start": "{} avant le début",
    "before_departure": "{} avant votre départ",
    "to_one": "à {}",
    "to_many": "à {} personnes : {}",
    "to_everybody": "à tous les invités",
    "saying": "avec ces mots : {}",
    "arriving": "avec une arrivée le {}",
    "matching": "correspondant à {}",
    "tracking": "en suivant votre position",
    "unasked": "désormais sans vous demander confirmation : {}",
    "unasked_nothing": "désormais en vous demandant confirmation pour tout",
    "critical": "en laissant passer les alertes critiques",
    "not_critical": "en retenant aussi les alertes critiques",
    "home_location": "votre domicile : {}",
    "work_location": "votre lieu de travail : {}",
    "default_event_duration_min": "pour les événements, {} si rien n'est dit",
    "timezone": "votre fuseau horaire {}",
    "working_hours": "vos heures de travail de {} à {}",
    "default_travel_mode.drive": "en vous déplaçant en voiture",
    "default_travel_mode.walk": "en vous déplaçant à pied",
    "default_travel_mode.transit": "en vous déplaçant en transports en commun",
    "preferred_time_of_day.morning": "de préférence le matin",
    "preferred_time_of_day.afternoon": "de préférence l'après-midi",
    "preferred_time_of_day.evening": "de préférence le soir",
    "mode.drive": "en voiture",
    "mode.walk": "à pied",
    "mode.transit": "en transports en commun",
    "channel.push": "sur votre téléphone",
    "channel.email": "par courriel",
    "kind.update": "pour dire que quelque chose a changé",
    "kind.running_late": "pour dire que vous serez en retard",
    "kind.cancelled": "pour dire que c'est annulé",
    "kind.custom": "avec vos propres mots",
    "profile.minimal": "avec le moins d'alertes possible",
    "profile.balanced": "avec les alertes habituelles",
    "profile.aggressive": "avec toutes les alertes qui existent",
    "profile.silent": "sans aucune alerte",
    "buffer.arrival": "de marge à l'arrivée",
    "buffer.parking": "pour se garer",
    "buffer.walk": "pour marcher",
    "buffer.between_meetings": "entre les réunions",
    "tool.update_event": "modifier un événement",
    "create_event": "créer un événement",
    "create_event.named": "créer {}",
    "move_event": "déplacer un événement",
    "move_event.named": "déplacer {}",
    "update_event": "modifier un événement, comme suit :",
    "update_event.named": "modifier {}, comme suit :",
    "cancel_event": "annuler un événement",
    "cancel_event.named": "annuler {}",
    "bulk_cancel_events": "annuler tous les événements",
    "bulk_cancel_events.named": "annuler tous ces {} événements : {}",
    "bulk_cancel_events.one_day": "annuler tous ces {} événements du {} : {}",
    "bulk_cancel_events.counted": "annuler tous ces {} événements",
    "get_day_overview": "regarder votre journée",
    "get_day_summary": "résumer votre journée",
    "get_weekly_summary": "résumer votre semaine",
    "get_next_event": "chercher votre prochain événement",
    "search_events": "chercher dans vos événements",
    "get_departure_info": "calculer l'heure de départ",
    "get_departure_info.named": "calculer l'heure de départ pour {}",
    "get_travel_time": "calculer le temps de trajet",
    "get_travel_time.named": "calculer le temps de trajet pour {}",
    "get_alternate_routes": "chercher d'autres itinéraires",
    "get_alternate_routes.named": "chercher d'autres itinéraires pour {}",
    "start_navigation": "lancer la navigation",
    "start_navigation.named": "lancer la navigation pour {}",
    "check_if_late": "vérifier si vous êtes en retard",
    "check_if_late.named": "vérifier si vous êtes en retard pour {}",
    "acknowledge_late": "noter que vous êtes en retard",
    "acknowledge_late.named": "noter que vous êtes en retard pour {}",
    "report_arrival": "signaler votre arrivée",
    "report_arrival.named": "signaler votre arrivée pour {}",
    "get_alerts": "lire vos alertes",
    "dismiss_alert": "écarter une alerte",
    "dismiss_alert.named": "écarter l'alerte {}",
    "dismiss_alert.all": "écarter toutes les alertes",
    "snooze_alert": "reporter une alerte",
    "snooze_alert.named": "reporter l'alerte {}",
    "create_reminder": "programmer un rappel",
    "create_reminder.titled": "programmer le rappel {}",
    "create_reminder.named": "programmer un rappel pour {}",
    "create_reminder.titled.named": "programmer le rappel {} pour {}",
    "notify_attendees": "envoyer un message au sujet d'un événement",
    "notify_attendees.named": "envoyer un message au sujet de : {}",
    "update_preferences": "modifier vos préférences",
    "set_quiet_hours": "régler vos heures de silence",
    "set_quiet_hours.off": "désactiver vos heures de silence",
    "set_alert_profile": "régler votre profil d'alertes",
    "set_alert_profile.named": "régler le profil d'alertes pour {}",
    "set_global_buffer": "régler une marge générale",
    "check_availability": "vérifier qui est libre",
}

_LABELS = {
    "category": "catégorie",
    "color_hex": "couleur",
    "description": "note",
    "body": "note",
    "reason": "motif",
    "channel": "canal",
    "mode": "moyen de transport",
    "kind": "type",
    "profile": "profil",
    "query": "recherche",
    "travel": "trajet",
    "title": "titre",
    "location": "lieu",
    "attendees": "invités",
    "meeting": "réunion",
    "recurrence": "répétition",
    "event_id": "identifiant de l'événement",
    "alert_id": "identifiant de l'alerte",
    "days": "jours",
    "start": "début",
    "timezone": "fuseau horaire",
    "locale": "langue",
    "voice": "voix",
    "app": "application",
    "route_id": "identifiant de l'itinéraire",
    "arrived_at": "arrivée",
    "auto_confirm": "sans confirmation",
    "limit": "nombre",
    "home_location": "domicile",
    "work_location": "lieu de travail",
    "preferred_time_of_day": "moment de la journée",
    "calendar_ids": "agendas",
    "attendee_email": "adresse",
    "end": "fin",
}


_ELIDED = {"from_to": "d'{} à {}", "of": "d'{}", "working_hours": "vos heures de travail d'{} à {}"}  # "d'une heure"


def _day(day: date, year: bool) -> str:
    """Say "mardi 24 novembre"; the first of a month alone is an ordinal."""
    said = f"{_WEEKDAYS[day.weekday()]} {'premier' if day.day == 1 else day.day} {_MONTHS[day.month - 1]}"
    return f"{said} {day.year}" if year else said


def _clock(at: time) -> str:
    """Say "15 heures 30" or "midi"; "0 heure" begins a day, where "minuit" may end it too."""
    if at.hour == 12 and at.minute == 0:
        return "midi"
    hour = _HOURS.get(at.hour, f"{at.hour} heures")
    return f"{hour} {at.minute}" if at.minute else hour


FRENCH = Tongue(
    weekdays=tuple(f"le {day}" for day in _WEEKDAYS),
    day=_day,
    clock=_clock,
    phrases=_PHRASES,
    labels=_LABELS,
    elided=_ELIDED,
)
