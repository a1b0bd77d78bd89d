"""What the bridge says in German."""

from datetime import date, time

from phone_bridge.call.words.tongue import Tongue

_WEEKDAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
_MONTHS = (
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
)
_UNITS = ("", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
_ORDINALS = {1: "ersten", 3: "dritten", 7: "siebten", 8: "achten"}
_TEENS = {10: "zehnten", 11: "elften", 12: "zwölften", 16: "sechzehnten", 17: "siebzehnten"}
_TENS = {20: "zwanzigsten", 30: "dreißigsten"}

SENTENCES = {
    "greeting": "Guten Tag, hier ist Ihr Kalenderassistent. Wie kann ich helfen?",
    "one_moment": "Einen Moment, bitte.",
    "apology_unavailable": (
        "Es tut mir leid, ich erreiche Ihren Kalenderassistenten nicht. Bitte rufen Sie später wieder an. "
        "Auf Wiederhören."
    ),
    "apology_onward": "Es tut mir leid, ich kann Ihren Kalenderassistenten gerade nicht erreichen.",
    "apology_busy": (
        "Es tut mir leid, alle Leitungen sind belegt. Bitte rufen Sie in einigen Minuten wieder an. Auf Wiederhören."
    ),
    "still_there": "Sind Sie noch da?",
    "goodbye_silence": "Ich höre Sie nicht und beende dieses Gespräch. Auf Wiederhören.",
    "goodbye_limit": "Dieses Gespräch hat seine längste Dauer erreicht und endet hier. Auf Wiederhören.",
    "goodbye": "Auf Wiederhören.",
    "keys": (
        "Drücken Sie die 1 oder sagen Sie ja, um zu bestätigen. Drücken Sie die 2 oder sagen Sie nein, um alles so zu "
        "lassen. Drücken Sie die Sterntaste, um es noch einmal zu hören."
    ),
    "keypad": (
        "Benutzen Sie bitte die Tasten: die 1, um zu bestätigen, die 2, um alles so zu lassen, die Sterntaste, um es "
        "noch einmal zu hören."
    ),
    "wrong_key": "Diese Taste hat hier keine Bedeutung.",
    "unclear_once": "Dazu brauche ich eine klare Antwort.",
    "expired": "Ich habe keine Antwort gehört, also wurde nichts geändert.",
    "withdrawn": "Ihr Assistent fragt nicht mehr danach.",
    "not_asked": "Ich konnte Sie nicht zu einer Änderung fragen, also wurde nichts geändert.",
    "confirmed_by_preference": "Wie gewünscht, ohne zu fragen:",
    "outcome_unknown": "Ich weiß nicht, ob das ausgeführt wurde. Bitte sehen Sie in Ihrem Kalender nach.",
    "cut_off": "Entschuldigung, wir wurden unterbrochen. Ich bin wieder da.",
    "done_before": "Was Sie bestätigt haben, wurde ausgeführt.",
    "not_done": "Was Sie bestätigt haben, wurde nicht ausgeführt.",
    "again_done": "Das haben Sie vor der Unterbrechung schon bestätigt, und es wurde ausgeführt.",
    "again_unknown": "Das haben Sie vor der Unterbrechung schon bestätigt, und ich weiß nicht, ob es ausgeführt wurde.",
    "apology_failed": (
        "Es tut mir leid, bei mir ist etwas schiefgegangen. Bitte rufen Sie noch einmal an. Auf Wiederhören."
    ),
    "errand_keys": (
        "Drücken Sie die 1 oder sagen Sie verstanden. Mit der 2 rufe ich später wieder an, mit der 3 sprechen Sie mit "
        "Ihrem Assistenten, mit der 9 bekommen Sie keine solchen Anrufe mehr. Mit der Sterntaste hören Sie es noch "
        "einmal."
    ),
    "errand_when": (
        "Wann soll ich wieder anrufen? Sagen Sie zum Beispiel in zwanzig Minuten, oder drücken Sie die Minuten und "
        "dann die Rautetaste."
    ),
    "errand_thanks": "Vielen Dank. Auf Wiederhören.",
    "errand_stopped": "Sie bekommen keine solchen Anrufe mehr. Auf Wiederhören.",
    "errand_assistant": "Ich verbinde Sie mit Ihrem Assistenten.",
    "errand_unanswered": "Ich habe keine Antwort gehört und beende den Anruf. Auf Wiederhören.",
    "screened": "Dies ist ein automatischer Anruf eines Kalenderassistenten.",
    "recording_announcement": "Dieses Gespräch wird aufgezeichnet.",
    "pin_ask": (
        "Dafür brauche ich Ihre PIN. Geben Sie sie mit den Tasten ein und schließen Sie mit der Rautetaste ab. "
        "Mit der Sterntaste beginnen Sie von vorn, mit der Rautetaste allein verzichten Sie."
    ),
    "pin_enter": (
        "Bitte geben Sie Ihre PIN mit den Tasten ein und schließen Sie mit der Rautetaste ab. "
        "Mit der Sterntaste beginnen Sie von vorn."
    ),
    "pin_voice": "Oder sagen Sie sie, Ziffer für Ziffer.",
    "pin_again": "Bitte geben Sie Ihre PIN noch einmal ein, von der ersten Ziffer an.",
    "pin_wrong": "Das war nicht richtig. Bitte geben Sie Ihre PIN noch einmal ein, mit den Tasten.",
    "pin_right": "Danke.",
    "pin_welcome": "Danke. Wie kann ich helfen?",
    "pin_refused": "Dafür brauche ich die richtige PIN, also wurde nichts getan.",
    "pin_left": "In Ordnung. Ohne die PIN wurde nichts getan.",
    "pin_late": "Ich habe keine PIN bekommen, also wurde nichts getan.",
    "pin_locked": (
        "Es gab zu viele falsche PINs, deshalb nehme ich jetzt keine an. Es wurde nichts getan. Bitte versuchen Sie es "
        "später wieder."
    ),
    "pin_missing": "Dafür brauche ich eine PIN, und es ist keine eingerichtet. Es wurde nichts getan.",
    "pin_failed": "Ich kann Ihre PIN gerade nicht prüfen, also wurde nichts getan.",
    "goodbye_pin": "Ohne die richtige PIN kann ich nicht weitermachen. Auf Wiederhören.",
    "goodbye_pin_locked": "Es gab zu viele falsche PINs. Bitte rufen Sie später wieder an. Auf Wiederhören.",
    "goodbye_pin_unable": (
        "Es tut mir leid, ich kann Ihre PIN nicht prüfen. Bitte rufen Sie später wieder an. Auf Wiederhören."
    ),
    "goodbye_drain": (
        "Es tut mir leid, ich muss jetzt auflegen. Bitte rufen Sie gleich noch einmal an. Auf Wiederhören."
    ),
}
LATER = {
    "minute": "Ich rufe in einer Minute wieder an. Auf Wiederhören.",
    "minutes": "Ich rufe in {} Minuten wieder an. Auf Wiederhören.",
    "hour": "Ich rufe in einer Stunde wieder an. Auf Wiederhören.",
    "hours": "Ich rufe in {} Stunden wieder an. Auf Wiederhören.",
    "day": "Ich rufe morgen um diese Zeit wieder an. Auf Wiederhören.",
    "days": "Ich rufe in {} Tagen wieder an. Auf Wiederhören.",
}
REFUSAL = "Nein, bitte lassen Sie es so, wie es ist."
UNPROVEN = "Ich habe mich nicht ausgewiesen, bitte lassen Sie es so, wie es ist."
ALREADY = (
    "Das habe ich vor der Unterbrechung beantwortet. Sehen Sie nach, ob es getan ist, bevor Sie es neu vorschlagen."
)
OFFER = "Für Deutsch drücken Sie die {}."
PREFERENCE = "Bitte sprechen Sie Deutsch mit mir."

_PHRASES = {
    "question": "Ich bin dabei, {}.",
    "summary": "In den Worten des Assistenten: {}.",
    "unknown_tool": "{} auszuführen",
    "nameless_tool": "etwas ohne Namen auszuführen",
    "detail": "{}: {}",
    "without": "ohne {}",
    "further": "und {} weitere Angaben",
    "and": "{} und {}",
    "more": "{} weitere",
    "switched_on": "eingeschaltet",
    "switched_off": "ausgeschaltet",
    "very_large": "eine sehr große Zahl",
    "and_so_on": "und so weiter",
    "day_at": "{}, um {}",
    "on": "am {}",
    "to": "auf {}",
    "from": "von {}",
    "from_to": "von {} bis {}",
    "until": "bis {}",
    "all_day": "ganztägig am {}",
    "ending": "mit dem Ende am {}",
    "for": "für {}",
    "of": "von {}",
    "minute": "{} Minute",
    "minutes": "{} Minuten",
    "hour": "{} Stunde",
    "hours": "{} Stunden",
    "day": "{} Tag",
    "days": "{} Tage",
    "daily": "jeden Tag",
    "weekly": "jede Woche",
    "monthly": "jeden Monat",
    "yearly": "jedes Jahr",
    "daily_each": "alle {} Tage",
    "weekly_each": "alle {} Wochen",
    "monthly_each": "alle {} Monate",
    "yearly_each": "alle {} Jahre",
    "on_days": "am {}",
    "times": "{} Mal",
    "repeating": "wiederkehrend",
    "place": "Ort: {}",
    "place_from": "Aufbruch von: {}",
    "place_to": "Ziel: {}",
    "point": "ein Punkt auf der Karte",
    "with_one": "mit {}",
    "with_many": "mit {} Personen: {}",
    "nobody": "ohne Eingeladene",
    "somebody": "jemand",
    "online": "online",
    "in_person": "vor Ort",
    "both": "online und vor Ort",
    "new_title": "mit dem neuen Titel {}",
    "calendar": "in einem bestimmten Kalender",
    "invitations": "mit Versand von Einladungen",
    "notify": "mit Nachricht an alle Eingeladenen",
    "following": "mit allen folgenden der Serie",
    "all": "mit der ganzen Serie",
    "also": "was auch {} betrifft",
    "by": "um {}",
    "before_start": "{} vor dem Beginn",
    "before_departure": "{} vor dem Aufbruch",
    "to_one": "an {}",
    "to_many": "an {} Personen: {}",
    "to_everybody": "an alle Eingeladenen",
    "saying": "mit den Worten: {}",
    "arriving": "mit Ankunft am {}",
    "matching": "passend zu {}",
    "tracking": "mit Verfolgung Ihrer Position",
    "unasked": "künftig ohne Rückfrage: {}",
    "unasked_nothing": "künftig immer mit Rückfrage",
    "critical": "wobei dringende Hinweise durchkommen",
    "not_critical": "auch für dringende Hinweise",
    "home_location": "mit dem Zuhause {}",
    "work_location": "mit der Arbeitsstelle {}",
    "default_event_duration_min": "mit Terminen von {}, wenn nichts gesagt ist",
    "timezone": "mit der Zeitzone {}",
    "working_hours": "mit Arbeitszeiten von {} bis {}",
    "default_travel_mode.drive": "unterwegs mit dem Auto",
    "default_travel_mode.walk": "unterwegs zu Fuß",
    "default_travel_mode.transit": "unterwegs mit Bus und Bahn",
    "preferred_time_of_day.morning": "am liebsten vormittags",
    "preferred_time_of_day.afternoon": "am liebsten nachmittags",
    "preferred_time_of_day.evening": "am liebsten abends",
    "mode.drive": "mit dem Auto",
    "mode.walk": "zu Fuß",
    "mode.transit": "mit Bus und Bahn",
    "channel.push": "auf Ihrem Telefon",
    "channel.email": "per E-Mail",
    "kind.update": "dass sich etwas geändert hat",
    "kind.running_late": "dass Sie sich verspäten",
    "kind.cancelled": "dass er ausfällt",
    "kind.custom": "in Ihren eigenen Worten",
    "profile.minimal": "auf so wenige Hinweise wie möglich",
    "profile.balanced": "auf die üblichen Hinweise",
    "profile.aggressive": "auf alle Hinweise, die es gibt",
    "profile.silent": "auf gar keine Hinweise",
    "buffer.arrival": "Zeit bei der Ankunft",
    "buffer.parking": "zum Parken",
    "buffer.walk": "zum Gehen",
    "buffer.between_meetings": "zwischen Terminen",
    "tool.update_event": "einen Termin zu ändern",
    "create_event": "einen Termin anzulegen",
    "create_event.named": "einen Termin anzulegen: {}",
    "move_event": "einen Termin zu verschieben",
    "move_event.named": "einen Termin zu verschieben: {}",
    "update_event": "einen Termin wie folgt zu ändern:",
    "update_event.named": "einen Termin zu ändern, {}, wie folgt:",
    "cancel_event": "einen Termin abzusagen",
    "cancel_event.named": "einen Termin abzusagen: {}",
    "bulk_cancel_events": "mehrere Termine abzusagen",
    "bulk_cancel_events.named": "{} Termine abzusagen: {}",
    "bulk_cancel_events.one_day": "{} Termine am {} abzusagen: {}",
    "bulk_cancel_events.counted": "{} Termine abzusagen",
    "get_day_overview": "Ihren Tag anzusehen",
    "get_day_summary": "Ihren Tag zusammenzufassen",
    "get_weekly_summary": "Ihre Woche zusammenzufassen",
    "get_next_event": "Ihren nächsten Termin zu suchen",
    "search_events": "Ihre Termine zu durchsuchen",
    "get_departure_info": "den Aufbruch zu berechnen",
    "get_departure_info.named": "den Aufbruch zu berechnen: {}",
    "get_travel_time": "die Fahrzeit zu berechnen",
    "get_travel_time.named": "die Fahrzeit zu berechnen: {}",
    "get_alternate_routes": "andere Wege zu suchen",
    "get_alternate_routes.named": "andere Wege zu suchen: {}",
    "start_navigation": "die Navigation zu starten",
    "start_navigation.named": "die Navigation zu starten: {}",
    "check_if_late": "zu prüfen, ob Sie zu spät sind",
    "check_if_late.named": "zu prüfen, ob Sie zu spät sind: {}",
    "acknowledge_late": "Ihre Verspätung zu vermerken",
    "acknowledge_late.named": "Ihre Verspätung zu vermerken: {}",
    "report_arrival": "Ihre Ankunft zu melden",
    "report_arrival.named": "Ihre Ankunft zu melden: {}",
    "get_alerts": "Ihre Hinweise zu lesen",
    "dismiss_alert": "einen Hinweis zu verwerfen",
    "dismiss_alert.named": "einen Hinweis zu verwerfen: {}",
    "dismiss_alert.all": "alle Hinweise zu verwerfen",
    "snooze_alert": "einen Hinweis aufzuschieben",
    "snooze_alert.named": "einen Hinweis aufzuschieben: {}",
    "create_reminder": "eine Erinnerung einzurichten",
    "create_reminder.titled": "eine Erinnerung einzurichten: {}",
    "create_reminder.named": "eine Erinnerung einzurichten zu: {}",
    "create_reminder.titled.named": "eine Erinnerung einzurichten: {}, zu {}",
    "notify_attendees": "eine Nachricht zu einem Termin zu senden",
    "notify_attendees.named": "eine Nachricht zu senden zu {}",
    "update_preferences": "Ihre Einstellungen zu ändern",
    "set_quiet_hours": "Ihre Ruhezeiten einzustellen",
    "set_quiet_hours.off": "Ihre Ruhezeiten auszuschalten",
    "set_alert_profile": "Ihr Hinweisprofil einzustellen",
    "set_alert_profile.named": "das Hinweisprofil einzustellen: {}",
    "set_global_buffer": "einen allgemeinen Puffer einzustellen",
    "check_availability": "zu prüfen, wer frei ist",
}

_LABELS = {
    "category": "Kategorie",
    "color_hex": "Farbe",
    "description": "Notiz",
    "body": "Notiz",
    "reason": "Grund",
    "channel": "Kanal",
    "mode": "Verkehrsmittel",
    "kind": "Art",
    "profile": "Profil",
    "query": "Suche",
    "travel": "Weg",
    "title": "Titel",
    "location": "Ort",
    "attendees": "Eingeladene",
    "meeting": "Besprechung",
    "recurrence": "Wiederholung",
    "event_id": "Kennung des Termins",
    "alert_id": "Kennung des Hinweises",
    "days": "Tage",
    "start": "Beginn",
    "timezone": "Zeitzone",
    "locale": "Sprache",
    "voice": "Stimme",
    "app": "Programm",
    "route_id": "Kennung des Weges",
    "arrived_at": "Ankunft",
    "auto_confirm": "ohne Rückfrage",
    "limit": "Anzahl",
    "home_location": "Zuhause",
    "work_location": "Arbeitsstelle",
    "preferred_time_of_day": "Tageszeit",
    "calendar_ids": "Kalender",
    "attendee_email": "Adresse",
    "end": "Ende",
}


def _day(day: date, year: bool) -> str:
    """Say "Dienstag, den vierundzwanzigsten November"; synthesisers read "24." as a cardinal number."""
    said = f"{_WEEKDAYS[day.weekday()]}, den {ordinal(day.day)} {_MONTHS[day.month - 1]}"
    return f"{said} {day.year}" if year else said


def ordinal(number: int) -> str:
    """Say the number of a day, from 1 to 31, as it stands in a date: "vierundzwanzigsten"."""
    tens, unit = number // 10 * 10, number % 10
    if number in _TEENS:
        return _TEENS[number]
    if number < 20:
        return _ORDINALS.get(unit, f"{_UNITS[unit]}ten") if number < 10 else f"{_UNITS[unit]}zehnten"
    return f"{_UNITS[unit]}und{_TENS[tens]}" if unit else _TENS[tens]


def _clock(at: time) -> str:
    """Say "15 Uhr" or "15 Uhr 30"."""
    return f"{at.hour} Uhr {at.minute}" if at.minute else f"{at.hour} Uhr"


GERMAN = Tongue(weekdays=_WEEKDAYS, day=_day, clock=_clock, phrases=_PHRASES, labels=_LABELS)
