"""A browser as the caller's telephone, in the Voice SDK's dialect."""
