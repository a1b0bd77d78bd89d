"""Calendars as text: events to and from iCalendar (RFC 5545), as ``.ics`` files and CalDAV servers hold them; pure."""
