"""The embedded session server: a calendar assistant that hears, understands, answers and speaks."""
