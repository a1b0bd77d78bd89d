"""The words of yes and no: what a caller's utterance says to the question that the bridge asked."""

from phone_bridge.call.assent.decide import TABLES, Assent, understand

__all__ = ["TABLES", "Assent", "understand"]
