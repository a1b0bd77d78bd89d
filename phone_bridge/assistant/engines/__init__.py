"""Speech engines as plug-ins: a package adds its own by an entry point, and the operator chooses one by its name.

An ear is an entry point of the group ``phone_bridge.ears``, a voice one of ``phone_bridge.voices``: a callable that
takes ``EngineOptions`` and gives a ``PlugEar`` or a ``runtime.voice.Voice``, or raises Unavailable with the mend.
"""
