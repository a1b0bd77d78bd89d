"""What the bridge says in English."""

from datetime import date, time

from phone_bridge.call.words.tongue import Tongue

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_ENDINGS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}

SENTENCES = {
    "greeting": "Hello, this is your calendar assistant. How can I help?",
    "one_moment": "One moment, please.",
    "apology_unavailable": "I am sorry, I cannot reach your calendar assistant. Please call again later. Goodbye.",
    "apology_onward": "I am sorry, I cannot reach your calendar assistant now.",
    "apology_busy": "I am sorry, all our lines are taken. Please call again in a few minutes. Goodbye.",
    "still_there": "Are you still there?",
    "goodbye_silence": "I cannot hear you, so I am ending this call. Goodbye.",
    "goodbye_limit": "This call has reached its longest time, so I am ending it here. Goodbye.",
    "goodbye": "Goodbye.",
    "keys": (
        "Press 1 or say yes to confirm, press 2 or say no to leave things as they are. Press star to hear it again."
    ),
    "keypad": "Use the keys, please: 1 to confirm, 2 to leave things as they are, star to hear it again.",
    "wrong_key": "That key means nothing here.",
    "unclear_once": "I need a clear answer to this.",
    "expired": "I heard no answer, so nothing was changed.",
    "withdrawn": "Your assistant no longer asks about this.",
    "not_asked": "I was unable to ask you about a change, so nothing was changed.",
    "confirmed_by_preference": "As you wished, without asking:",
    "outcome_unknown": "I do not know whether that was done. Please check your calendar.",
    "cut_off": "Sorry, we were cut off. I am with you again.",
    "done_before": "What you confirmed was done.",
    "not_done": "What you confirmed was not done.",
    "again_done": "You confirmed this before we were cut off, and it was done.",
    "again_unknown": "You confirmed this before we were cut off, and I do not know whether it was done.",
    "apology_failed": "I am sorry, something went wrong on my side. Please call again. Goodbye.",
    "errand_keys": (
        "Press 1 or say got it. Press 2 to be called again later, 3 to talk to your assistant, "
        "or 9 for no more such calls. Press star to hear it again."
    ),
    "errand_when": (
        "When shall I call again? Say for example in twenty minutes, or press the minutes and then the hash key."
    ),
    "errand_thanks": "Thank you. Goodbye.",
    "errand_stopped": "You will not get such calls any more. Goodbye.",
    "errand_assistant": "I am connecting you to your assistant.",
    "errand_unanswered": "I heard no answer, so I am ending this call. Goodbye.",
    "screened": "This is an automatic call from a calendar assistant.",
    "recording_announcement": "This call is recorded.",
    "pin_ask": (
        "For this I need your PIN. Enter it on the keys, and end with the hash key. "
        "Press star to begin again, or the hash key alone to do without."
    ),
    "pin_enter": "Please enter your PIN on the keys, and end with the hash key. Press star to begin again.",
    "pin_voice": "Or say it, digit by digit.",
    "pin_again": "Please enter your PIN again, from its first digit.",
    "pin_wrong": "That was not right. Please enter your PIN once more, on the keys.",
    "pin_right": "Thank you.",
    "pin_welcome": "Thank you. How can I help?",
    "pin_refused": "I need the right PIN for this, so nothing was done.",
    "pin_left": "All right. Without the PIN nothing was done.",
    "pin_late": "I got no PIN, so nothing was done.",
    "pin_locked": "There were too many wrong PINs, so I cannot take one now. Nothing was done. Please try again later.",
    "pin_missing": "I need a PIN for this, and none has been set up. Nothing was done.",
    "pin_failed": "I cannot check your PIN now, so nothing was done.",
    "goodbye_pin": "I cannot go on without the right PIN. Goodbye.",
    "goodbye_pin_locked": "There were too many wrong PINs. Please call again later. Goodbye.",
    "goodbye_pin_unable": "I am sorry, I cannot check your PIN. Please call again later. Goodbye.",
    "goodbye_drain": "I am sorry, I have to end this call now. Please call again in a moment. Goodbye.",
}
LATER = {
    "minute": "I shall call again in one minute. Goodbye.",
    "minutes": "I shall call again in {} minutes. Goodbye.",
    "hour": "I shall call again in one hour. Goodbye.",
    "hours": "I shall call again in {} hours. Goodbye.",
    "day": "I shall call again tomorrow at this time. Goodbye.",
    "days": "I shall call again in {} days. Goodbye.",
}
REFUSAL = "No, please leave it as it is."
UNPROVEN = "I have not proven who I am, so please leave it as it is."
ALREADY = "I answered this before we were interrupted. Find out whether it was done before you propose it again."
OFFER = "For English, press {}."
PREFERENCE = "Please speak English with me."

_PHRASES = {
    # the frame
    "question": "I am about to {}.",
    "summary": "In the assistant's words: {}.",
    "unknown_tool": "run {}",
    "nameless_tool": "run something that has no name",
    "detail": "{}: {}",
    "without": "without {}",
    "further": "and {} further details",
    "and": "{} and {}",
    "more": "{} more",
    "switched_on": "switched on",
    "switched_off": "switched off",
    "very_large": "a very large number",
    "and_so_on": "and so on",
    # time
    "day_at": "{} at {}",
    "on": "on {}",
    "to": "to {}",
    "from": "from {}",
    "from_to": "from {} to {}",
    "until": "until {}",
    "all_day": "all day on {}",
    "ending": "ending on {}",
    "for": "for {}",
    "of": "of {}",
    "minute": "{} minute",
    "minutes": "{} minutes",
    "hour": "{} hour",
    "hours": "{} hours",
    "day": "{} day",
    "days": "{} days",
    "daily": "every day",
    "weekly": "every week",
    "monthly": "every month",
    "yearly": "every year",
    "daily_each": "every {} days",
    "weekly_each": "every {} weeks",
    "monthly_each": "every {} months",
    "yearly_each": "every {} years",
    "on_days": "on {}",
    "times": "{} times",
    "repeating": "repeating",
    # what an event is made of
    "place": "at {}",
    "place_from": "setting out from {}",
    "place_to": "to {}",
    "point": "a point on the map",
    "with_one": "with {}",
    "with_many": "with {} people: {}",
    "nobody": "with nobody invited",
    "somebody": "somebody",
    "online": "online",
    "in_person": "in person",
    "both": "online and in person",
    "new_title": "with the new title {}",
    "calendar": "in a particular calendar",
    "invitations": "sending invitations",
    "notify": "telling everybody who is invited",
    "following": "and all that follow in its series",
    "all": "with its whole series",
    "also": "which also touches {}",
    "by": "by {}",
    "before_start": "{} before it starts",
    "before_departure": "{} before you have to leave for it",
    "to_one": "to {}",
    "to_many": "to {} people: {}",
    "to_everybody": "to everybody who is invited",
    "saying": "with the words: {}",
    "arriving": "arriving on {}",
    "matching": "matching {}",
    "tracking": "following your position",
    "unasked": "from now on doing without asking you: {}",
    "unasked_nothing": "from now on asking you about everything",
    "critical": "letting critical alerts through",
    "not_critical": "holding back critical alerts too",
    "home_location": "your home at {}",
    "work_location": "your work at {}",
    "default_event_duration_min": "events of {} by default",
    "timezone": "your time zone {}",
    "working_hours": "your working hours from {} to {}",
    "default_travel_mode.drive": "travelling by car",
    "default_travel_mode.walk": "travelling on foot",
    "default_travel_mode.transit": "travelling by bus and train",
    "preferred_time_of_day.morning": "preferring mornings",
    "preferred_time_of_day.afternoon": "preferring afternoons",
    "preferred_time_of_day.evening": "preferring evenings",
    "mode.drive": "by car",
    "mode.walk": "on foot",
    "mode.transit": "by bus and train",
    "channel.push": "on your phone",
    "channel.email": "by email",
    "kind.update": "saying that something has changed",
    "kind.running_late": "saying that you are running late",
    "kind.cancelled": "saying that it is cancelled",
    "kind.custom": "in your own words",
    "profile.minimal": "to as few alerts as possible",
    "profile.balanced": "to the usual alerts",
    "profile.aggressive": "to every alert there is",
    "profile.silent": "to no alerts at all",
    "buffer.arrival": "to spare on arrival",
    "buffer.parking": "for parking",
    "buffer.walk": "for walking",
    "buffer.between_meetings": "between meetings",
    "tool.update_event": "change an event",
    # the tools
    "create_event": "create an event",
    "create_event.named": "create {}",
    "move_event": "move an event",
    "move_event.named": "move {}",
    "update_event": "change an event, as follows:",
    "update_event.named": "change {}, as follows:",
    "cancel_event": "cancel an event",
    "cancel_event.named": "cancel {}",
    "bulk_cancel_events": "cancel all events",
    "bulk_cancel_events.named": "cancel all of these {} events: {}",
    "bulk_cancel_events.one_day": "cancel all of these {} events on {}: {}",
    "bulk_cancel_events.counted": "cancel all of these {} events",
    "get_day_overview": "look at your day",
    "get_day_summary": "sum up your day",
    "get_weekly_summary": "sum up your week",
    "get_next_event": "look for your next event",
    "search_events": "search your events",
    "get_departure_info": "work out when to leave",
    "get_departure_info.named": "work out when to leave for {}",
    "get_travel_time": "work out the travel time",
    "get_travel_time.named": "work out the travel time to {}",
    "get_alternate_routes": "look for other routes",
    "get_alternate_routes.named": "look for other routes to {}",
    "start_navigation": "start the navigation",
    "start_navigation.named": "start the navigation to {}",
    "check_if_late": "check whether you are late",
    "check_if_late.named": "check whether you are late for {}",
    "acknowledge_late": "note that you are late",
    "acknowledge_late.named": "note that you are late for {}",
    "report_arrival": "report that you have arrived",
    "report_arrival.named": "report that you have arrived at {}",
    "get_alerts": "read your alerts",
    "dismiss_alert": "dismiss an alert",
    "dismiss_alert.named": "dismiss the alert {}",
    "dismiss_alert.all": "dismiss all alerts",
    "snooze_alert": "put an alert off",
    "snooze_alert.named": "put off the alert {}",
    "create_reminder": "set a reminder",
    "create_reminder.titled": "set the reminder {}",
    "create_reminder.named": "set a reminder for {}",
    "create_reminder.titled.named": "set the reminder {} for {}",
    "notify_attendees": "send a message about an event",
    "notify_attendees.named": "send a message about {}",
    "update_preferences": "change your preferences",
    "set_quiet_hours": "set your quiet hours",
    "set_quiet_hours.off": "switch your quiet hours off",
    "set_alert_profile": "set your alert profile",
    "set_alert_profile.named": "set the alert profile for {}",
    "set_global_buffer": "set a general buffer",
    "check_availability": "check who is free",
}


def _day(day: date, year: bool) -> str:
    """Say "Tuesday the 24th of November"."""
    said = f"{_WEEKDAYS[day.weekday()]} the {day.day}{_ENDINGS.get(day.day, 'th')} of {_MONTHS[day.month - 1]}"
    return f"{said} {day.year}" if year else said


def _clock(at: time) -> str:
    """Say "3 p.m.", "3:30 p.m.", "3 oh 5 p.m.", "noon" or "midnight", as synthesisers read them aright."""
    if at.minute == 0 and at.hour in (0, 12):
        return "midnight" if at.hour == 0 else "noon"
    hour, half = at.hour % 12 or 12, "a.m." if at.hour < 12 else "p.m."
    if at.minute == 0:
        return f"{hour} {half}"
    return f"{hour} oh {at.minute} {half}" if at.minute < 10 else f"{hour}:{at.minute} {half}"


ENGLISH = Tongue(weekdays=_WEEKDAYS, day=_day, clock=_clock, phrases=_PHRASES, labels={})
