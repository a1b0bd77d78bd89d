"""The table of the 26 calendar tools: what each is for, what it does to the world, and when it asks."""

from phone_bridge.tools import parameters as p
from phone_bridge.tools.catalogue import Catalogue, Effect, Reach, Tool
from phone_bridge.tools.schemas import Parameters, schema_of

READ_EVENTS, WRITE_EVENTS = "events:read", "events:write"
READ_ALERTS, WRITE_ALERTS = "alerts:read", "alerts:write"
WRITE_PROFILE, READ_CALENDARS = "profile:write", "calendars:read"
SCOPES = frozenset({READ_EVENTS, WRITE_EVENTS, READ_ALERTS, WRITE_ALERTS, WRITE_PROFILE, READ_CALENDARS})
"""The scopes that open all tools."""


def _reads(name: str, description: str, kind: type[Parameters], scope: str = READ_EVENTS) -> Tool:
    return Tool(name=name, description=description, schema=schema_of(kind), effect=Effect.READ, scope=scope)


def _writes(
    name: str,
    description: str,
    kind: type[Parameters],
    scope: str = WRITE_EVENTS,
    *,
    effect: Effect = Effect.WRITE,
    reach: Reach = Reach.STATE,
    asks: bool = False,
    asks_if: str = "",
    always_asks_if: str = "",
) -> Tool:
    return Tool(
        name=name,
        description=description,
        schema=schema_of(kind),
        effect=effect,
        scope=scope,
        reach=reach,
        asks=asks,
        asks_if=asks_if,
        always_asks_if=always_asks_if,
    )


CALENDAR_TOOLS = Catalogue(
    (
        _writes(
            "create_event",
            "Put a new event into the calendar; it may repeat. Give all_day, or end_time or duration_minutes.",
            p.CreateEvent,
            reach=Reach.CALENDAR,
            asks=True,
        ),
        _writes(
            "update_event",
            "Change an event: move it, rename it, make it longer or shorter. Of a series: this, following or all.",
            p.UpdateEvent,
            reach=Reach.CALENDAR,
            asks=True,
        ),
        _writes(
            "cancel_event",
            "Cancel an event. Of a series: this one, this and the following, or all.",
            p.CancelEvent,
            effect=Effect.DESTROY,
            reach=Reach.CALENDAR,
            asks=True,
        ),
        _writes(
            "bulk_cancel_events",
            "Cancel several events at once: those with these ids, or those that a filter finds.",
            p.BulkCancelEvents,
            effect=Effect.DESTROY,
            reach=Reach.CALENDAR,
            asks=True,
        ),
        _reads("get_day_overview", "List one day's events and its free time.", p.GetDayOverview),
        _reads("get_day_summary", "Sum up one day in a few words and numbers.", p.GetDaySummary),
        _reads("get_weekly_summary", "Sum up a week in a few words and numbers.", p.GetWeeklySummary),
        _reads("get_next_event", "Find the next event that begins, and when to leave for it.", p.GetNextEvent),
        _reads("search_events", "Find events by words, time, place or people.", p.SearchEvents),
        _reads(
            "get_departure_info",
            "Say when to leave for an event (the next one with a place, if none is named).",
            p.GetDepartureInfo,
        ),
        _reads(
            "get_travel_time",
            "Say how long the way to an event or to a place takes. Give event_id or to_location.",
            p.GetTravelTime,
        ),
        _reads(
            "get_alternate_routes",
            "List other ways to an event or to a place. Give event_id or to_location.",
            p.GetAlternateRoutes,
        ),
        _writes(
            "start_navigation",
            "Give a link that opens navigation to an event or a place, sent to the user's phone if possible.",
            p.StartNavigation,
            READ_EVENTS,
            reach=Reach.DEVICE,
        ),
        _reads(
            "check_if_late",
            "Say whether the user is going to be late for an event (the one that goes on, or the next).",
            p.CheckIfLate,
        ),
        _writes(
            "acknowledge_late",
            "Note that the user knows of being late for an event; with notify, the others are told.",
            p.AcknowledgeLate,
            asks_if="notify",
        ),
        _writes("report_arrival", "Note that the user has arrived at an event.", p.ReportArrival),
        _reads("get_alerts", "List the user's alerts.", p.GetAlerts, READ_ALERTS),
        _writes("dismiss_alert", "Dismiss one alert by its id, or all of them.", p.DismissAlert, WRITE_ALERTS),
        _writes("snooze_alert", "Put an alert off for some minutes or until a time.", p.SnoozeAlert, WRITE_ALERTS),
        _writes(
            "create_reminder",
            "Remind the user at a time, or some minutes before an event or before leaving for it.",
            p.CreateReminder,
        ),
        _writes(
            "notify_attendees",
            "Write to those who take part in an event.",
            p.NotifyAttendees,
            effect=Effect.OUTWARD,
            reach=Reach.MESSAGE,
            asks=True,
        ),
        _writes(
            "update_preferences",
            "Change the user's preferences: time zone, working hours, places, and what is done without asking.",
            p.UpdatePreferences,
            WRITE_PROFILE,
            asks=True,
            always_asks_if="auto_confirm",
        ),
        _writes(
            "set_quiet_hours", "Set when the user is not to be disturbed.", p.SetQuietHours, WRITE_PROFILE, asks=True
        ),
        _writes(
            "set_alert_profile",
            "Choose how much the user is alerted, in general or about one event.",
            p.SetAlertProfile,
            WRITE_PROFILE,
            asks=True,
        ),
        _writes(
            "set_global_buffer",
            "Set how many minutes to spare there are on arrival, for parking, walking or between meetings.",
            p.SetGlobalBuffer,
            WRITE_PROFILE,
            asks=True,
        ),
        _reads(
            "check_availability",
            "Say whether a time is free (start_time, end_time), when people are busy (from, to), or which slots are "
            "free (duration_minutes, earliest_start, latest_end).",
            p.CheckAvailability,
            READ_CALENDARS,
        ),
    )
)
