"""SIP: a telephone, a PBX or a trunk that reaches the bridge without a carrier's cloud (RFC 3261)."""
