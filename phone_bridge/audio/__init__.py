"""Sound as numbers: formats, companding, resampling, framing, tones and levels. No clock, no socket."""
