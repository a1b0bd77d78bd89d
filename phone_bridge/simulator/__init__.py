"""A carrier of one's own: plays Twilio against a bridge, for trying, testing and measuring without a phone."""
