"""Twilio's words: the Media Streams wire, its webhooks and its REST requests as values."""
