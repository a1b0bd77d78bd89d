"""OpenAI's Realtime protocol, GA and beta: HTTP and both sides of the socket."""
