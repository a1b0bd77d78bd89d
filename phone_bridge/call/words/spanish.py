"""What the bridge says in Spanish, in words that Madrid and Mexico share."""

from datetime import date, time

from phone_bridge.call.words.tongue import Tongue

_WEEKDAYS = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
_MONTHS = (
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
)
_QUARTERS = {15: "cuarto", 30: "media"}

SENTENCES = {
    "greeting": "Hola, le habla su asistente de agenda. ¿En qué puedo ayudarle?",
    "one_moment": "Un momento, por favor.",
    "apology_unavailable": (
        "Lo siento, no puedo comunicarle con su asistente de agenda. Por favor, vuelva a llamar más tarde. Adiós."
    ),
    "apology_onward": "Lo siento, ahora no puedo comunicarle con su asistente de agenda.",
    "apology_busy": ("Lo siento, todas las líneas están ocupadas. Por favor, vuelva a llamar en unos minutos. Adiós."),
    "still_there": "¿Sigue usted ahí?",
    "goodbye_silence": "No le oigo, así que termino esta llamada. Adiós.",
    "goodbye_limit": "Esta llamada ha llegado a su duración máxima, así que la termino aquí. Adiós.",
    "goodbye": "Adiós.",
    "keys": (
        "Pulse 1 o diga sí para confirmar, pulse 2 o diga no para dejarlo todo como está. "
        "Pulse asterisco para volver a oírlo."
    ),
    "keypad": (
        "Use las teclas, por favor: 1 para confirmar, 2 para dejarlo todo como está, asterisco para volver a oírlo."
    ),
    "wrong_key": "Esa tecla no tiene ninguna función aquí.",
    "unclear_once": "Para esto necesito una respuesta clara.",
    "expired": "No he oído ninguna respuesta, así que no se ha cambiado nada.",
    "withdrawn": "Su asistente ya no pregunta por esto.",
    "not_asked": "No he podido preguntarle por un cambio, así que no se ha cambiado nada.",
    "confirmed_by_preference": "Como usted lo pidió, sin preguntarle:",
    "outcome_unknown": "No sé si eso se ha hecho. Por favor, mire su agenda.",
    "cut_off": "Perdone, se ha cortado. Ya estoy otra vez con usted.",
    "done_before": "Lo que usted confirmó se ha hecho.",
    "not_done": "Lo que usted confirmó no se ha hecho.",
    "again_done": "Usted ya confirmó esto antes de que se cortara, y se ha hecho.",
    "again_unknown": "Usted ya confirmó esto antes de que se cortara, y no sé si se ha hecho.",
    "apology_failed": "Lo siento, algo ha fallado por mi parte. Por favor, vuelva a llamar. Adiós.",
    "errand_keys": (
        "Pulse 1 o diga entendido. Pulse 2 para que le llame más tarde, 3 para hablar con su asistente, "
        "o 9 para no recibir más llamadas como esta. Pulse asterisco para volver a oírlo."
    ),
    "errand_when": (
        "¿Cuándo vuelvo a llamar? Diga por ejemplo en veinte minutos, o marque los minutos y después la tecla "
        "almohadilla, o numeral."
    ),
    "errand_thanks": "Gracias. Adiós.",
    "errand_stopped": "No recibirá más llamadas como esta. Adiós.",
    "errand_assistant": "Le comunico con su asistente.",
    "errand_unanswered": "No he oído ninguna respuesta, así que termino esta llamada. Adiós.",
    "screened": "Esta es una llamada automática de un asistente de agenda.",
    "pin_ask": (
        "Para esto necesito su PIN. Márquelo con las teclas y termine con la tecla almohadilla, o numeral. "
        "Pulse asterisco para empezar de nuevo, o solo almohadilla para seguir sin él."
    ),
    "pin_enter": (
        "Por favor, marque su PIN con las teclas y termine con la tecla almohadilla, o numeral. "
        "Pulse asterisco para empezar de nuevo."
    ),
    "pin_voice": "O dígalo, cifra por cifra.",
    "pin_again": "Por favor, marque su PIN otra vez, desde la primera cifra.",
    "pin_wrong": "No era correcto. Por favor, marque su PIN una vez más, con las teclas.",
    "pin_right": "Gracias.",
    "pin_welcome": "Gracias. ¿En qué puedo ayudarle?",
    "pin_refused": "Para esto necesito el PIN correcto, así que no se ha hecho nada.",
    "pin_left": "De acuerdo. Sin el PIN no se ha hecho nada.",
    "pin_late": "No he recibido ningún PIN, así que no se ha hecho nada.",
    "pin_locked": (
        "Ha habido demasiados PIN equivocados, así que ahora no puedo aceptar ninguno. No se ha hecho nada. "
        "Por favor, inténtelo más tarde."
    ),
    "pin_missing": "Para esto necesito un PIN, y no hay ninguno. No se ha hecho nada.",
    "pin_failed": "Ahora no puedo comprobar su PIN, así que no se ha hecho nada.",
    "goodbye_pin": "Sin el PIN correcto no puedo continuar. Adiós.",
    "goodbye_pin_locked": "Ha habido demasiados PIN equivocados. Por favor, vuelva a llamar más tarde. Adiós.",
    "goodbye_pin_unable": "Lo siento, no puedo comprobar su PIN. Por favor, vuelva a llamar más tarde. Adiós.",
    "recording_announcement": "Esta llamada se graba.",
    "goodbye_drain": "Lo siento, tengo que terminar esta llamada. Por favor, vuelva a llamar en un momento. Adiós.",
}
LATER = {
    "minute": "Volveré a llamar en un minuto. Adiós.",
    "minutes": "Volveré a llamar en {} minutos. Adiós.",
    "hour": "Volveré a llamar en una hora. Adiós.",
    "hours": "Volveré a llamar en {} horas. Adiós.",
    "day": "Volveré a llamar mañana a esta hora. Adiós.",
    "days": "Volveré a llamar en {} días. Adiós.",
}
REFUSAL = "No, por favor, déjelo como está."
UNPROVEN = "No he demostrado quién soy, así que, por favor, déjelo como está."
ALREADY = "Respondí a esto antes de que se cortara. Averigüe si ya se ha hecho antes de proponerlo otra vez."
OFFER = "Para español, pulse {}."
PREFERENCE = "Por favor, hable conmigo en español."

_PHRASES = {
    "question": "Voy a {}.",
    "summary": "En palabras del asistente: {}.",
    "unknown_tool": "ejecutar {}",
    "nameless_tool": "ejecutar algo que no tiene nombre",
    "detail": "{}: {}",
    "without": "sin {}",
    "further": "y {} datos más",
    "and": "{} y {}",
    "more": "{} más",
    "switched_on": "activado",
    "switched_off": "desactivado",
    "very_large": "un número muy grande",
    "and_so_on": "y así sucesivamente",
    "day_at": "{} a {}",
    "on": "el {}",
    "to": "al {}",
    "from": "desde el {}",
    "from_to": "de {} a {}",
    "until": "hasta el {}",
    "all_day": "todo el día, el {}",
    "ending": "que termina el {}",
    "for": "durante {}",
    "of": "de {}",
    "minute": "un minuto",
    "minutes": "{} minutos",
    "hour": "una hora",
    "hours": "{} horas",
    "day": "un día",
    "days": "{} días",
    "daily": "cada día",
    "weekly": "cada semana",
    "monthly": "cada mes",
    "yearly": "cada año",
    "daily_each": "cada {} días",
    "weekly_each": "cada {} semanas",
    "monthly_each": "cada {} meses",
    "yearly_each": "cada {} años",
    "on_days": "{}",
    "times": "{} veces",
    "repeating": "con repetición",
    "place": "en {}",
    "place_from": "saliendo de {}",
    "place_to": "hacia {}",
    "point": "un punto del mapa",
    "with_one": "con {}",
    "with_many": "con {} personas: {}",
    "nobody": "sin ningún invitado",
    "somebody": "alguien",
    "online": "en línea",
    "in_person": "en persona",
    "both": "en línea y en persona",
    "new_title": "con el nuevo título {}",
    "calendar": "en un calendario determinado",
    "invitations": "enviando invitaciones",
    "notify": "avisando a todos los invitados",
    "following": "con todos los siguientes de su serie",
    "all": "con toda su serie",
    "also": "lo que también afecta a {}",
    "by": "con {} de retraso",
    "before_start": "{} antes de que empiece",
    "before_departure": "{} antes de que tenga que salir",
    "to_one": "a {}",
    "to_many": "a {} personas: {}",
    "to_everybody": "a todos los invitados",
    "saying": "con las palabras: {}",
    "arriving": "con llegada el {}",
    "matching": "que coincidan con {}",
    "tracking": "siguiendo su posición",
    "unasked": "de ahora en adelante sin preguntarle: {}",
    "unasked_nothing": "de ahora en adelante preguntándole por todo",
    "critical": "dejando pasar las alertas críticas",
    "not_critical": "reteniendo también las alertas críticas",
    "home_location": "su casa en {}",
    "work_location": "su trabajo en {}",
    "default_event_duration_min": "eventos de {} si no se dice otra cosa",
    "timezone": "su zona horaria {}",
    "working_hours": "su horario de trabajo de {} a {}",
    "default_travel_mode.drive": "viajando en coche",
    "default_travel_mode.walk": "yendo a pie",
    "default_travel_mode.transit": "viajando en transporte público",
    "preferred_time_of_day.morning": "mejor por la mañana",
    "preferred_time_of_day.afternoon": "mejor por la tarde",
    "preferred_time_of_day.evening": "mejor por la noche",
    "mode.drive": "en coche",
    "mode.walk": "a pie",
    "mode.transit": "en transporte público",
    "channel.push": "en su teléfono",
    "channel.email": "por correo electrónico",
    "kind.update": "diciendo que algo ha cambiado",
    "kind.running_late": "diciendo que llega usted tarde",
    "kind.cancelled": "diciendo que se ha cancelado",
    "kind.custom": "con sus propias palabras",
    "profile.minimal": "con el menor número posible de alertas",
    "profile.balanced": "con las alertas habituales",
    "profile.aggressive": "con todas las alertas que hay",
    "profile.silent": "sin ninguna alerta",
    "buffer.arrival": "de sobra al llegar",
    "buffer.parking": "para estacionar",
    "buffer.walk": "para caminar",
    "buffer.between_meetings": "entre reuniones",
    "tool.update_event": "cambiar un evento",
    "create_event": "crear un evento",
    "create_event.named": "crear {}",
    "move_event": "mover un evento",
    "move_event.named": "mover {}",
    "update_event": "cambiar un evento, de este modo:",
    "update_event.named": "cambiar {}, de este modo:",
    "cancel_event": "cancelar un evento",
    "cancel_event.named": "cancelar {}",
    "bulk_cancel_events": "cancelar todos los eventos",
    "bulk_cancel_events.named": "cancelar todos estos {} eventos: {}",
    "bulk_cancel_events.one_day": "cancelar todos estos {} eventos del {}: {}",
    "bulk_cancel_events.counted": "cancelar todos estos {} eventos",
    "get_day_overview": "mirar su día",
    "get_day_summary": "resumir su día",
    "get_weekly_summary": "resumir su semana",
    "get_next_event": "buscar su próximo evento",
    "search_events": "buscar en sus eventos",
    "get_departure_info": "calcular cuándo salir",
    "get_departure_info.named": "calcular cuándo salir para {}",
    "get_travel_time": "calcular el tiempo de viaje",
    "get_travel_time.named": "calcular el tiempo de viaje a {}",
    "get_alternate_routes": "buscar otras rutas",
    "get_alternate_routes.named": "buscar otras rutas a {}",
    "start_navigation": "iniciar la navegación",
    "start_navigation.named": "iniciar la navegación a {}",
    "check_if_late": "comprobar si llega usted tarde",
    "check_if_late.named": "comprobar si llega usted tarde a {}",
    "acknowledge_late": "anotar que llega usted tarde",
    "acknowledge_late.named": "anotar que llega usted tarde a {}",
    "report_arrival": "comunicar que ha llegado",
    "report_arrival.named": "comunicar que ha llegado a {}",
    "get_alerts": "leer sus alertas",
    "dismiss_alert": "descartar una alerta",
    "dismiss_alert.named": "descartar la alerta {}",
    "dismiss_alert.all": "descartar todas las alertas",
    "snooze_alert": "aplazar una alerta",
    "snooze_alert.named": "aplazar la alerta {}",
    "create_reminder": "poner un recordatorio",
    "create_reminder.titled": "poner el recordatorio {}",
    "create_reminder.named": "poner un recordatorio para {}",
    "create_reminder.titled.named": "poner el recordatorio {} para {}",
    "notify_attendees": "enviar un mensaje sobre un evento",
    "notify_attendees.named": "enviar un mensaje sobre {}",
    "update_preferences": "cambiar sus preferencias",
    "set_quiet_hours": "fijar sus horas de silencio",
    "set_quiet_hours.off": "desactivar sus horas de silencio",
    "set_alert_profile": "fijar su perfil de alertas",
    "set_alert_profile.named": "fijar el perfil de alertas de {}",
    "set_global_buffer": "fijar un margen general",
    "check_availability": "comprobar quién está libre",
}

_LABELS = {
    "category": "categoría",
    "color_hex": "color",
    "description": "nota",
    "body": "nota",
    "reason": "motivo",
    "channel": "canal",
    "mode": "medio de transporte",
    "kind": "tipo",
    "profile": "perfil",
    "query": "búsqueda",
    "travel": "trayecto",
    "title": "título",
    "location": "lugar",
    "attendees": "invitados",
    "meeting": "reunión",
    "recurrence": "repetición",
    "event_id": "identificador del evento",
    "alert_id": "identificador de la alerta",
    "days": "días",
    "start": "inicio",
    "timezone": "zona horaria",
    "locale": "idioma",
    "voice": "voz",
    "app": "aplicación",
    "route_id": "identificador de la ruta",
    "arrived_at": "llegada",
    "auto_confirm": "sin preguntar",
    "limit": "número",
    "home_location": "casa",
    "work_location": "trabajo",
    "preferred_time_of_day": "hora del día",
    "calendar_ids": "calendarios",
    "attendee_email": "dirección",
    "end": "fin",
}


def _day(day: date, year: bool) -> str:
    """Say "martes 24 de noviembre"; the first of a month is "primero" in Mexico, and understood in Spain."""
    said = f"{_WEEKDAYS[day.weekday()]} {'primero' if day.day == 1 else day.day} de {_MONTHS[day.month - 1]}"
    return f"{said} de {day.year}" if year else said


def _clock(at: time) -> str:
    """Say "las 3 y media de la tarde"; the hour after midnight by the 24, since "las 12 de la noche" ends a day too."""
    if at.hour == 0:
        return f"las 0 horas y {at.minute} minutos" if at.minute else "las 0 horas"
    hour = at.hour % 12 or 12
    minutes = f" y {_QUARTERS.get(at.minute, at.minute)}" if at.minute else ""
    return f"{'la' if hour == 1 else 'las'} {'una' if hour == 1 else hour}{minutes} {_part_of_day(at)}"


def _part_of_day(at: time) -> str:
    if at.hour == 12 and at.minute == 0:
        return "del mediodía"
    if at.hour < 6:
        return "de la madrugada"
    if at.hour < 12:
        return "de la mañana"
    return "de la tarde" if at.hour < 20 else "de la noche"


SPANISH = Tongue(
    weekdays=tuple(f"los {day}s" if day in ("sábado", "domingo") else f"los {day}" for day in _WEEKDAYS),
    day=_day,
    clock=_clock,
    phrases=_PHRASES,
    labels=_LABELS,
)
