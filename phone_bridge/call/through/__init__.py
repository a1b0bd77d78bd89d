"""Asking for a person in words: in which sentences, in every language that the bridge speaks."""

from phone_bridge.call.through.decide import Names, Wanted, Whom, chosen, wanted

__all__ = ["Names", "Wanted", "Whom", "chosen", "wanted"]
