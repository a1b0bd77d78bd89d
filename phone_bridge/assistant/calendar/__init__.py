"""The embedded assistant's calendar: events and reminders kept in a database."""
