"""One caller's talk: what it is about, what is still open, and what to do next; pure.

Reading tools run at once. Writing tools wait for consent where the policy says so: the proposal's parameters are
frozen when it is made, and whatever the caller changes makes a new proposal. Only the client confirms; a spoken yes
does nothing here. Of several open proposals the oldest one is being asked about, unless another wish came between:
then it is set aside, and only the client's own message still settles it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct, structs

from phone_bridge.assistant import answering, notices, outcomes, plans, reading, references, small_talk
from phone_bridge.assistant.amending import amended, another, filled, is_answer, moved_to
from phone_bridge.assistant.grammar import spoken
from phone_bridge.assistant.habits import HABITS, habit
from phone_bridge.assistant.journeys import ABOUT_NOW, BY_THEMSELVES, JOURNEYS, TO_PLACES, addressed, journey
from phone_bridge.assistant.likeness import corrected
from phone_bridge.assistant.notices import NOTICES, Notice
from phone_bridge.assistant.phrase import tokens
from phone_bridge.assistant.plans import Caller, Question, Slot
from phone_bridge.assistant.ports import Drop, Expecting, HangUp, Intent, Mood, Move, Propose, Run, Say
from phone_bridge.assistant.reading import Reading
from phone_bridge.assistant.references import Seen
from phone_bridge.assistant.understanding import SURE, fragment, understand
from phone_bridge.assistant.when import NO_TIME, When
from phone_bridge.assistant.wishes import Reference, Wish
from phone_bridge.call import words
from phone_bridge.call.assent import Assent
from phone_bridge.call.assent import understand as judge
from phone_bridge.call.events import Action
from phone_bridge.tools.calendar import CALENDAR_TOOLS
from phone_bridge.tools.catalogue import Policy

TRIES = 2
"""How often a question is asked again before it is let go."""
EVERY_MAX = 10
"""How many events may be cancelled at once: as many as one listens to."""
AHEAD = timedelta(days=60)
"""How far ahead "all meetings with Anna" looks."""
ABOUT_NOW_HOURS = timedelta(hours=12)
"""How far ahead the event lies that "I am late" is about."""
PHRASES_MAX = 80
"""How many titles and names the ear is told to expect."""
_TALKING = frozenset(
    ("greeting", "thanks", "goodbye", "repeat", "help", "never_mind", "wait", "yes", "pin", "put_through")
)
_ELSEWHERE = frozenset(("goodbye", "help", "put_through"))  # wishes that let go of what was asked
_SUMMARIES = ("get_day_summary", "get_weekly_summary")
_READERS = ("get_next_event", "get_day_overview", "search_events", "check_availability", *_SUMMARIES)
_MOODS = {  # of questions; a title or a message may be any words
    Slot.WHICH: Mood.WHICH,
    Slot.ALERT: Mood.WHICH,
    Slot.WHEN: Mood.WHEN,
    Slot.UNTIL: Mood.WHEN,
    Slot.SCOPE: Mood.SCOPE,
    Slot.LENGTH: Mood.LENGTH,
    Slot.LEAD: Mood.LENGTH,
}
_OF_DAYS = ("get_day_overview", "check_availability", "get_day_summary")
_YES_OR_NO = re.compile(
    r"^(?:(?:yes|yeah|yep|sure|okay|ok|right|no|nope|but|and|well|wait|please|actually|rather|then|sorry"
    r"|i (?:said|meant|mean)|not that one) )+",
    re.IGNORECASE,
)

Resume = Callable[[Mapping[str, Any], datetime], list[Move]]


class _Proposal(Struct):
    """A proposal that is open; ``aside`` once other words came between and its question has fallen."""

    action: Action
    wish: Wish
    event: Seen | None
    aside: bool = False
    checked: bool = False
    """Whether it was looked up what it overlaps with, and told."""


class _Asked(Struct, frozen=True):
    """A question of ours that waits for its answer: for whom it is asked, and how often it was."""

    question: Question
    event: Seen | None = None
    options: tuple[Seen, ...] = ()
    tries: int = 0


class CalendarConversation:
    """A talk with ``caller`` about their calendar, in which only ``tools`` may be used.

    ``new_id`` makes the ids of proposals and runs.
    """

    def __init__(
        self, caller: Caller, new_id: Callable[[], str], tools: Iterable[str], policy: Policy = Policy.DEFAULT
    ) -> None:
        self._caller = caller
        self._zone = ZoneInfo(caller.timezone)
        self._new_id = new_id
        self._tools = frozenset(tools)
        self._policy = policy
        self._titles = list(dict.fromkeys(caller.titles))
        self._names = list(dict.fromkeys(caller.names))
        self._notices: list[Notice] = []  # the alerts that were told
        self._on_notices = False  # whether "it" is an alert
        self._focus: list[Seen] = []  # what "it" means, the newest
        self._listed: list[Seen] = []  # what "the second one" counts in
        self._asked: _Asked | None = None
        self._open: dict[str, _Proposal] = {}
        self._running: dict[str, Resume] = {}
        self._last_read: Wish | None = None
        self._said: tuple[str, ...] = ()
        self._misses = 0

    # What the session calls

    def heard(self, text: str, now: datetime) -> list[Move]:
        """Take a turn of the caller's; empty text is speech that was not understood."""
        now = now.astimezone(self._zone)
        proposal = self._current()
        if not text.strip():
            return self._noted([] if proposal else self._not_heard())
        return self._noted(self._judged(*proposal, text, now) if proposal else self._turn(text, now))

    def confirmed(self, action_id: str, now: datetime) -> list[Move]:
        """Know that the caller consented; the session now runs the proposed action by itself and calls ``ran``."""
        proposal = self._open.pop(action_id, None)
        if proposal is not None:
            asked = proposal
            self._running[action_id] = lambda result, at: self._done(
                asked.action, result, at, asked.event, checked=asked.checked
            )
        return []

    def declined(self, action_id: str, now: datetime) -> list[Move]:
        """Know that the client declined a proposal (it is settled already)."""
        return self._noted([Say(small_talk.LEFT)] if self._open.pop(action_id, None) else [])

    def withdrawn(self, action_id: str, now: datetime) -> list[Move]:
        """Know that a proposal's time ran out or the client cancelled it (it is settled already)."""
        self._open.pop(action_id, None)
        return []

    def ran(self, action_id: str, result: Mapping[str, Any], now: datetime) -> list[Move]:
        """Take a result, of a ``Run`` or of a proposal."""
        resume = self._running.pop(action_id, None)
        if resume is None:  # a proposal that the session may not even ask about
            refused = self._open.pop(action_id, None)
            return self._noted(_say(answering.failed(result)) if refused and not result.get("ok") else [])
        return self._noted(resume(result, now.astimezone(self._zone)))

    def expecting(self) -> Expecting:
        """Say what may be heard next."""
        near = [event.title for event in (*self._focus, *self._listed)]
        phrases = tuple(dict.fromkeys([*near, *self._titles, *self._names]))[:PHRASES_MAX]
        return Expecting(self._mood(), phrases)

    def _mood(self) -> Mood:
        if self._current():
            return Mood.CONSENT
        return _MOODS.get(self._asked.question.slot, Mood.WISH) if self._asked else Mood.WISH

    # Turns

    def _noted(self, moves: list[Move]) -> list[Move]:
        """Remember what is said, to say it again."""
        said = tuple(move.text for move in moves if isinstance(move, Say))
        self._said = said or self._said
        return moves

    def _current(self) -> tuple[str, _Proposal] | None:
        """Find the proposal that the caller is being asked about."""
        return next(((each, proposal) for each, proposal in self._open.items() if not proposal.aside), None)

    def _turn(self, text: str, now: datetime) -> list[Move]:
        wish = understand(text, now.date(), self._titles)
        if self._asked is not None and (moves := self._continued(self._asked, wish, text, now)) is not None:
            return moves
        self._asked = None
        return self._follow(wish, now)

    def _follow(self, wish: Wish, now: datetime) -> list[Move]:
        """Do what was wished; a fragment goes on with what was asked last, or names an event."""
        if wish.name in _TALKING:
            self._misses = 0
            return self._talk(wish)
        if wish.name == "fragment":
            wish = self._guessed(wish)
        if wish.name == "fragment":
            return self._missed()
        self._misses = 0
        wish = self._meant(self._recalled(wish))
        intent = Intent(wish.name, wish.confidence, wish.parameters())
        if wish.confidence < SURE:
            return [intent, *_say(small_talk.unsure(wish.name))]
        if wish.name not in self._tools:
            return [intent, Say(small_talk.NOT_ALLOWED)]
        return [intent, *self._begun(wish, now)]

    def _begun(self, wish: Wish, now: datetime) -> list[Move]:
        if wish.name in _READERS:
            self._last_read = wish
        if wish.name in NOTICES:
            return self._noticed(wish, now)
        if wish.name in JOURNEYS or (wish.name in HABITS and wish.reference is not None):
            return self._went(wish, now)
        if wish.name in HABITS:
            return self._planned(wish, None, habit(wish, None, self._caller, now), now)
        return self._begun_with_events(wish, now)

    def _begun_with_events(self, wish: Wish, now: datetime) -> list[Move]:
        match wish.name:
            case "get_next_event":
                return self._read(reading.next_event(wish))
            case "get_day_summary" | "get_weekly_summary":
                return self._read(reading.summary(wish, now))
            case "bulk_cancel_events":
                return self._many(wish, now)
            case "get_day_overview":
                return self._read(reading.overview(wish, now))
            case "check_availability":
                return self._read(reading.availability(wish, self._caller, now))
            case "create_event":
                return self._planned(wish, None, plans.creating(wish, self._caller, now), now)
            case "create_reminder":
                return self._reminder(wish, now)
        return self._resolved(wish, now)

    def _recalled(self, wish: Wish) -> Wish:
        """Bring words that were heard a little wrong back to those of the calendar."""
        if wish.reference is None:
            return wish
        known = {word for name in (*self._titles, *self._names) for word in spoken(name).split()}
        return structs.replace(wish, reference=corrected(wish.reference, known))

    def _meant(self, wish: Wish) -> Wish:
        """Read "cancel it" behind alerts that were just told as a wish to dismiss one of them."""
        reference = wish.reference
        of_these = reference is not None and (reference.pronoun or (reference.place and not reference.named()))
        if self._on_notices and self._notices and wish.name == "cancel_event" and of_these:
            wish = structs.replace(wish, name="dismiss_alert")
        self._on_notices = wish.name in NOTICES
        return wish

    def _guessed(self, wish: Wish) -> Wish:
        """Read a fragment as "and on Friday?", or as the name of an event; otherwise leave it."""
        reference = wish.reference
        if wish.title == "" and wish.when and self._last_read is not None and not wish.when.doubtful:
            last = self._last_read
            if last.name in _OF_DAYS:
                return structs.replace(last, when=wish.when.over(last.when))
            return Wish(name="get_day_overview", when=wish.when)
        if reference is None or not (reference.named() or reference.place or reference.other):
            return wish
        reference = self._recalled(wish).reference or reference
        known = references.known(reference, self._titles) or (self._listed and not reference.named())
        return Wish(name="search_events", reference=reference) if known else wish

    def _talk(self, wish: Wish) -> list[Move]:
        match wish.name:
            case "greeting":
                return _say([small_talk.GREETING, small_talk.OFFER])
            case "thanks":
                return [Say(small_talk.WELCOME)]
            case "repeat":
                return _say(self._said or [small_talk.OFFER])
            case "help":
                return [Intent(wish.name, wish.confidence, {}), *_say(small_talk.HELP)]
            case "put_through":  # where the line can do it, this is not heard
                return [Intent(wish.name, wish.confidence, {}), *_say(small_talk.NOBODY_HERE)]
            case "never_mind":
                return [Say(small_talk.AGREED)]
            case "yes":
                return [Say(small_talk.OFFER)]
            case "pin":
                return [Say(small_talk.NO_PIN)]  # which nobody hears where the line takes it up
            case "goodbye":
                drops = [Drop(each, "expired", "goodbye") for each in self._open]
                self._open.clear()
                return [Intent(wish.name, wish.confidence, {}), *drops, Say(small_talk.GOODBYE), HangUp()]
        return []  # "wait": silence is what was asked for

    def _not_heard(self) -> list[Move]:
        return self._asked_again(self._asked) if self._asked else self._missed()

    def _missed(self) -> list[Move]:
        self._misses += 1
        near = [event.title for event in self._focus]
        return _say(small_talk.repair(self._misses, [*near, *self._titles]))

    # Answers to a proposal

    def _judged(self, proposed: str, proposal: _Proposal, text: str, now: datetime) -> list[Move]:
        """Take words that were said while a proposal is open."""
        verdict = judge(text, prompt=words.question(proposal.action).text)
        if understand(text, now.date()).name == "goodbye":
            return self._talk(Wish(name="goodbye"))
        rest = _YES_OR_NO.sub("", " ".join(token.raw for token in tokens(text)), count=1)
        if verdict is Assent.NO:
            return self._refused(proposed, proposal, rest, now)
        return self._wished(proposed, proposal, rest, now) if verdict is Assent.WISH else []

    def _refused(self, proposed: str, proposal: _Proposal, rest: str, now: datetime) -> list[Move]:
        """Let a proposal go; "no, the yoga class" says at once what was meant."""
        del self._open[proposed]
        drop = Drop(proposed, "declined", "spoken_no")
        instead = another(proposal.wish, fragment(rest, now.date()), self._titles)
        return _behind_intent(drop, self._changed(instead, None, now)) if instead else [drop, Say(small_talk.LEFT)]

    def _wished(self, proposed: str, proposal: _Proposal, rest: str, now: datetime) -> list[Move]:
        """Take another wish in the place of a proposal, or beside it when it is about something else."""
        wish = understand(rest, now.date(), self._titles)
        drop = Drop(proposed, "expired", "replaced")
        changed = amended(proposal.wish, wish, fragment(rest, now.date()), self._titles)
        if changed is not None:
            del self._open[proposed]
            return _behind_intent(drop, self._changed(changed, proposal.event, now))
        if wish.name == "never_mind":
            return self._refused(proposed, proposal, rest, now)
        if wish.name in _TALKING - _ELSEWHERE - {"pin"}:
            return []
        if wish.name == proposal.action.name == "create_event":
            del self._open[proposed]
            return _behind_intent(drop, self._follow(wish, now))
        proposal.aside = True
        return self._follow(wish, now)

    def _changed(self, wish: Wish, event: Seen | None, now: datetime) -> list[Move]:
        """Plan anew what the caller changed in a proposal."""
        intent = Intent(wish.name, wish.confidence, wish.parameters())
        if wish.name not in self._tools:
            return [intent, Say(small_talk.NOT_ALLOWED)]
        if wish.reference is not None and not wish.reference.pronoun:
            return [intent, *self._resolved(wish, now)]
        if event is not None:
            return [intent, *self._with(wish, event, now)]
        return [intent, *self._begun(wish, now)]

    # Answers to a question of ours

    def _continued(self, asked: _Asked, wish: Wish, text: str, now: datetime) -> list[Move] | None:
        """Take the answer to a question; None when something else was said, and the question is let go."""
        if wish.name in _TALKING:
            return self._talked_back(asked, wish)
        answer = fragment(text, now.date())
        other = wish.name != "fragment" and wish.confidence >= SURE and not is_answer(asked.question, wish)
        if other:
            return None
        if asked.question.slot is Slot.WHICH:
            return self._which_answered(asked, answer, now)
        if asked.question.slot is Slot.ALERT:
            return self._alert_answered(asked, answer, now)
        if asked.question.slot is Slot.SCOPE and (another := self._another_occurrence(asked, answer, now)) is not None:
            return another
        whole = filled(asked.question, answer, text)
        if whole is None:
            return self._asked_again(asked)
        self._asked, self._misses = None, 0
        intent = Intent(whole.name, whole.confidence, whole.parameters())
        if asked.event is not None:
            return [intent, *self._with(whole, asked.event, now)]
        return [intent, *self._begun(whole, now)]

    def _talked_back(self, asked: _Asked, wish: Wish) -> list[Move] | None:
        if wish.name == "never_mind":
            self._asked = None
            return [Say(small_talk.LEFT)]
        if wish.name == "repeat":
            return [Say(asked.question.text)]
        if wish.name == "wait":
            return []
        return None if wish.name in _ELSEWHERE else self._asked_again(asked)

    def _which_answered(self, asked: _Asked, answer: Wish, now: datetime) -> list[Move]:
        wish, reference = asked.question.wish, self._recalled(answer).reference
        if reference is None or not reference.points():
            return self._asked_again(asked)
        if reference.every and wish.name == "cancel_event":
            return self._all_of(wish, list(asked.options), now)
        chosen = references.choose(reference, asked.options, now)
        if not chosen and reference.named() and not references.known(reference, self._titles):
            return self._asked_again(asked)
        self._asked = None
        if len(chosen) == 1:
            intent = Intent(wish.name, wish.confidence, wish.parameters())
            return [intent, *self._with(wish, chosen[0], now)]
        if chosen:
            return self._ask_which(wish, chosen, now)
        return self._resolved(structs.replace(wish, reference=reference), now)

    def _another_occurrence(self, asked: _Asked, answer: Wish, now: datetime) -> list[Move] | None:
        """Take "Thursday's", "the second one" or "the dentist" in answer to "only this one, or all of them?"."""
        reference, wish = self._recalled(answer).reference or Reference(), asked.question.wish
        event = asked.event
        if event is None or not (reference.named() or reference.place or answer.when.day):
            return None
        self._asked = None
        if reference.named() and references.known(reference, self._titles):
            return self._resolved(structs.replace(wish, reference=reference), now)
        if reference.place and (chosen := references.choose(reference, self._listed, now)):
            return self._with(structs.replace(wish, scope="this"), chosen[0], now)
        if answer.when.day is None:
            self._asked = asked
            return None
        named = Reference(words=tuple(spoken(event.title).split()), when=When(day=answer.when.day))
        return self._resolved(structs.replace(wish, reference=named, scope="this"), now)

    def _asked_again(self, asked: _Asked) -> list[Move]:
        if asked.tries >= TRIES:
            self._asked = None
            return self._missed()
        self._asked = structs.replace(asked, tries=asked.tries + 1)
        return [Say("Sorry?"), Say(asked.question.text)] if asked.tries == 0 else [Say(asked.question.text)]

    def _ask(self, question: Question, event: Seen | None = None, options: Sequence[Seen] = ()) -> list[Move]:
        self._asked = _Asked(question, event, tuple(options))
        return [Say(question.text)]

    # Reading

    def _read(self, wanted: Reading | Question) -> list[Move]:
        if isinstance(wanted, Question):
            return self._ask(wanted)

        def told(result: Mapping[str, Any], now: datetime) -> list[Move]:
            if wanted.lists:
                events = references.seen_in(result, now)
                self._remember(events, events)
            return _say(wanted.answer(result, now))

        return self._run(wanted.action, told)

    # Which event

    def _resolved(self, wish: Wish, now: datetime) -> list[Move]:
        """Find the event that a wish is about, in the talk or in the calendar, and go on with it."""
        reference = wish.reference
        if reference is None:
            return self._ask(Question(Slot.WHICH, "Which event do you mean?", wish))
        if reference.every and not reference.when and not reference.named():
            return self._all_of(wish, self._focus if len(self._focus) > 1 else self._listed, now)
        in_talk = self._in_talk(reference, now)
        if in_talk is not None:
            return self._with_chosen(wish, in_talk, now, listed=self._listed)
        if reference.upcoming and not reference.named() and not reference.when:
            return self._run(Action("get_next_event", {}), lambda result, at: self._looked_up(wish, result, at))
        parameters = references.query(reference, self._titles, now)
        return self._run(Action("search_events", parameters), lambda result, at: self._looked_up(wish, result, at))

    def _in_talk(self, reference: Reference, now: datetime) -> list[Seen] | None:
        """Find what is pointed at among what was just talked about; None when the calendar must be asked."""
        if reference.pronoun:
            return self._focus
        if reference.other:
            focus = {event.id for event in self._focus}
            return [event for event in self._listed if event.id not in focus]
        if reference.place and not reference.named() and not reference.when:
            listed = self._listed if len(self._listed) > 1 else self._focus
            return references.choose(reference, listed, now)
        return None

    def _looked_up(self, wish: Wish, result: Mapping[str, Any], now: datetime) -> list[Move]:
        reference = wish.reference or Reference()
        chosen = references.choose(reference, references.seen_in(result, now), now)
        if reference.every and chosen:
            return [Say(small_talk.TOO_MANY)] if result.get("has_more") else self._all_of(wish, chosen, now)
        if not chosen and wish.name == "create_reminder":
            return self._planned(wish, None, plans.reminding(structs.replace(wish, reference=None), now), now)
        if not chosen and wish.name in TO_PLACES and reference.named():
            place = " ".join((*reference.words, *reference.soft))
            return self._planned(wish, None, journey(wish, None, now, place), now)
        if not chosen and wish.name == "report_arrival":
            return self._planned(wish, None, journey(wish, None, now), now)
        if not chosen and (moved := moved_to(wish)) is not None:
            return self._resolved(moved, now)
        if not chosen:
            return _say(answering.nothing_found((*reference.words, *reference.soft), reference.when, now))
        return self._with_chosen(wish, chosen, now, listed=chosen)

    def _with_chosen(self, wish: Wish, chosen: Sequence[Seen], now: datetime, *, listed: Sequence[Seen]) -> list[Move]:
        if not chosen:
            return self._ask(Question(Slot.WHICH, f"{small_talk.NO_EVENT} Which one is it?", wish))
        if wish.name == "search_events":
            self._remember(chosen, listed)
            return _say(answering.found(chosen, now, wish.aspect))
        whole, chosen = chosen, references.one_of_each_series(chosen)
        if len(chosen) == 1 and len(whole) > 1:
            self._listed = list(whole)
        nearest = wish.name in JOURNEYS and (wish.name != "notify_attendees" or addressed(wish, chosen[0]))
        if len(chosen) == 1 or nearest:  # of several one goes to the next, and meets people there
            return self._with(wish, chosen[0], now)
        return self._ask_which(wish, chosen, now)

    def _ask_which(self, wish: Wish, options: Sequence[Seen], now: datetime) -> list[Move]:
        self._listed = list(options)
        return self._ask(Question(Slot.WHICH, answering.which(options, now), wish), options=options)

    def _all_of(self, wish: Wish, events: Sequence[Seen], now: datetime) -> list[Move]:
        """Cancel several events in one proposal that names each of them."""
        if wish.name not in ("cancel_event", "bulk_cancel_events") or not events:
            question = Question(Slot.WHICH, "Which event do you mean?", structs.replace(wish, reference=None))
            return [Say(small_talk.ONE_AT_A_TIME if events else small_talk.NO_EVENT), *self._ask(question)]
        self._asked = None
        if len(events) == 1:
            return self._with(structs.replace(wish, name="cancel_event"), events[0], now)
        if len(events) > EVERY_MAX:
            return [Say(small_talk.TOO_MANY)]
        if "bulk_cancel_events" not in self._tools:
            return [Say(small_talk.NOT_ALLOWED)]
        self._listed = list(events)
        return self._planned(wish, None, plans.cancelling_all(wish, events, now), now)

    def _many(self, wish: Wish, now: datetime) -> list[Move]:
        """Find the events that are to be cancelled at once."""
        reference = structs.replace(wish.reference or Reference(), every=True)
        when = wish.when or reference.when
        if not when and not reference.named():
            if wish.reference is not None and (self._focus or self._listed):
                return self._resolved(wish, now)
            return self._ask(Question(Slot.WHEN, "Of which day?", wish))
        start, end = when.window(now) if when else (now, now + AHEAD)
        if when.start is not None and when.end is None:
            end = start + timedelta(minutes=1)
        reference = structs.replace(reference, when=structs.replace(when, start=None, end=None, ahead=None))
        wish = structs.replace(wish, reference=reference, when=NO_TIME)
        parameters = {"from": start.isoformat(), "to": end.isoformat(), "limit": references.PAGE}
        return self._run(Action("search_events", parameters), lambda result, at: self._looked_up(wish, result, at))

    def _with(self, wish: Wish, event: Seen, now: datetime) -> list[Move]:
        """Go on with a wish to do something with one event; who names its day means no other one of its series."""
        self._focus = [event]
        reference = wish.reference
        if reference is not None and not wish.scope and (reference.when.day or reference.upcoming or reference.place):
            wish = structs.replace(wish, scope="this")
        if wish.name == "cancel_event":
            return self._planned(wish, event, plans.cancelling(wish, event, now), now)
        if wish.name == "notify_attendees" and not event.attendees:
            return _say(answering.nobody_else(event))
        if wish.name in JOURNEYS:
            return self._planned(wish, event, journey(wish, event, now), now)
        if wish.name in HABITS:
            return self._planned(wish, event, habit(wish, event, self._caller, now), now)
        if wish.name == "create_reminder":
            return self._planned(wish, event, plans.reminding_before(wish, event, now), now)
        return self._planned(wish, event, plans.changing(wish, event, now), now)

    def _remember(self, events: Sequence[Seen], listed: Sequence[Seen]) -> None:
        """Take what was just told as what the talk is about, and ``listed`` as what "the second one" counts in."""
        self._focus, self._listed = list(events[: answering.LISTED]), list(listed)
        self._titles = list(dict.fromkeys([*(event.title for event in events), *self._titles]))
        people = (person.called() for event in events for person in event.attendees)
        self._names = list(dict.fromkeys([*people, *self._names]))

    # Ways, and being late

    def _went(self, wish: Wish, now: datetime) -> list[Move]:
        """Find the event that a way, a delay or a message is about: the one named, that of the talk, or the next."""
        reference = wish.reference
        if reference is not None and reference.points():
            return self._resolved(wish, now)
        if wish.place:
            return self._planned(wish, None, journey(wish, None, now, wish.place), now)
        if len(self._focus) == 1 and wish.name not in ("report_arrival", "acknowledge_late"):
            return self._with(wish, self._focus[0], now)
        if wish.name in BY_THEMSELVES:
            return self._planned(wish, None, journey(wish, None, now), now)
        if wish.name in ABOUT_NOW:
            window = {"from": now.isoformat(), "to": (now + ABOUT_NOW_HOURS).isoformat(), "limit": references.PAGE}
            return self._run(Action("search_events", window), lambda result, at: self._next_of(wish, result, at))
        action = Action("get_next_event", {"with_location_only": True})
        return self._run(action, lambda result, at: self._next_of(wish, result, at))

    def _next_of(self, wish: Wish, result: Mapping[str, Any], now: datetime) -> list[Move]:
        """Go on with the first event of a result that has a time."""
        events = [event for event in references.seen_in(result, now) if not event.all_day and event.end_time > now]
        return self._with(wish, events[0], now) if events else _say(answering.next_event(None, now))

    # Alerts

    def _noticed(self, wish: Wish, now: datetime) -> list[Move]:
        """Read alerts, or do something with one of them; those not read yet are read first."""
        if wish.name == "get_alerts":
            return self._run(notices.asking(wish), self._told_notices)
        if wish.reference is not None and wish.reference.every and wish.name == "dismiss_alert":
            return self._planned(wish, None, notices.dismissing(None), now)
        if self._notices:
            return self._with_notice(wish, self._notices, now)

        def listed(result: Mapping[str, Any], at: datetime) -> list[Move]:
            self._notices = notices.notices_in(result)
            return self._with_notice(wish, self._notices, at) if self._notices else _say(notices.told([]))

        return self._run(Action("get_alerts", {}), listed)

    def _told_notices(self, result: Mapping[str, Any], now: datetime) -> list[Move]:
        self._notices = notices.notices_in(result)
        return _say(notices.told(self._notices, more=bool(result.get("has_more"))))

    def _with_notice(self, wish: Wish, among: Sequence[Notice], now: datetime) -> list[Move]:
        chosen = notices.choose(wish, among)
        if len(chosen) != 1:
            return self._ask(Question(Slot.ALERT, notices.which(chosen or among), wish))
        notice = chosen[0]
        dismisses = wish.name == "dismiss_alert"
        plan = notices.dismissing(notice) if dismisses else notices.snoozing(wish, notice, now)
        return self._planned(wish, None, plan, now)

    def _alert_answered(self, asked: _Asked, answer: Wish, now: datetime) -> list[Move]:
        wish, reference = asked.question.wish, answer.reference
        if reference is None or not (reference.named() or reference.place or reference.other):
            return self._asked_again(asked)
        chosen = notices.choose(structs.replace(wish, reference=reference, choice=""), self._notices)
        if len(chosen) != 1:
            return self._asked_again(asked)
        self._asked = None
        return self._with_notice(structs.replace(wish, reference=reference), chosen, now)

    # Writing

    def _reminder(self, wish: Wish, now: datetime) -> list[Move]:
        if wish.lead is not None and wish.reference is None:
            wish = structs.replace(wish, reference=Reference(pronoun=True))
        about_event = wish.reference is not None and (wish.lead is not None or not wish.when.has_time())
        if about_event:
            return self._resolved(wish, now)
        return self._planned(wish, None, plans.reminding(wish, now), now)

    def _planned(self, wish: Wish, event: Seen | None, plan: Action | Question, now: datetime) -> list[Move]:
        """Ask what is open; propose what needs consent; run the rest."""
        if isinstance(plan, Question):
            return self._ask(plan, event)
        tool = CALENDAR_TOOLS.find(plan.name)
        unasked = self._policy is Policy.DEFAULT and plan.name in self._caller.unasked
        if unasked or not tool.needs_consent(self._policy, plan.parameters):
            return self._run(plan, lambda result, at: self._done(plan, result, at, event, wish.aspect))
        if self._is_timed(plan):
            return self._checked(wish, event, plan, now)
        return self._proposed(wish, event, plan)

    def _proposed(self, wish: Wish, event: Seen | None, plan: Action, *, checked: bool = False) -> list[Move]:
        tool = CALENDAR_TOOLS.find(plan.name)
        drops = self._drop_those_about(event)
        new = self._new_id()
        self._open[new] = _Proposal(plan, wish, event, checked=checked)
        return [*drops, Propose(new, plan, tool.reach_with(plan.parameters), tool.reversible)]

    def _is_timed(self, plan: Action) -> bool:
        """Tell whether a plan takes time of the caller's that may be taken already, and can be looked up."""
        timed = plan.name in ("create_event", "update_event") and {"start_time", "end_time"} <= plan.parameters.keys()
        return timed and not plan.parameters.get("all_day") and "check_availability" in self._tools

    def _checked(self, wish: Wish, event: Seen | None, plan: Action, now: datetime) -> list[Move]:
        """Look whether the time of a plan is free, say what it overlaps with, and propose it all the same."""
        span = {name: plan.parameters[name] for name in ("start_time", "end_time")}
        start = datetime.fromisoformat(span["start_time"]).astimezone(now.tzinfo)

        def proposed(result: Mapping[str, Any], at: datetime) -> list[Move]:
            besides = event.id if event else ""
            said = answering.in_the_way(result, start, at, besides) if result.get("ok") else []
            return [*_say(said), *self._proposed(wish, event, plan, checked=bool(result.get("ok")))]

        new = self._new_id()
        self._running[new] = proposed
        return [Run(new, Action("check_availability", span))]

    def _drop_those_about(self, event: Seen | None) -> list[Move]:
        """Let the open proposals fall that a new one about the same event takes the place of."""
        same = [each for each, other in self._open.items() if event and other.event and other.event.id == event.id]
        for each in same:
            del self._open[each]
        return [Drop(each, "expired", "replaced") for each in same]

    def _run(self, action: Action, resume: Resume) -> list[Move]:
        new = self._new_id()
        self._running[new] = lambda result, now: (
            resume(result, now) if result.get("ok") else _say(answering.failed(result))
        )
        return [Run(new, action)]

    def _done(
        self,
        action: Action,
        result: Mapping[str, Any],
        now: datetime,
        event: Seen | None = None,
        aspect: str = "",
        *,
        checked: bool = False,
    ) -> list[Move]:
        """Tell what was done, and keep what the talk is about in step with the calendar."""
        if not result.get("ok"):
            return _say(answering.failed(result))
        if action.name in NOTICES:
            gone = action.parameters.get("alert_id")
            self._notices = [each for each in self._notices if gone and each.id != gone]
            return _say(notices.settled(action, result, now))
        if action.name in outcomes.TOLD:
            self._settle(action)
            self._forget(action.parameters.get("event_ids", ()) if action.name == "bulk_cancel_events" else ())
            return _say(outcomes.told(action, result, now, event, aspect))
        if "event" in result:
            touched = references.seen(result["event"], now)
            self._listed = [other for other in self._listed if other.id != touched.id]
            self._focus = [] if action.name == "cancel_event" else [touched]
            self._titles = list(dict.fromkeys([*(each.title for each in self._focus), *self._titles]))
        return _say(answering.done(action, {**result, "conflicts": ()} if checked else result, now))

    def _settle(self, action: Action) -> None:
        """Go on in the zone and with the lengths that the caller has just chosen."""
        minutes = action.parameters.get("default_event_duration_min", self._caller.event_minutes)
        zone = action.parameters.get("timezone", self._caller.timezone)
        self._caller = structs.replace(self._caller, timezone=zone, event_minutes=minutes)
        self._zone = ZoneInfo(zone)

    def _forget(self, ids: Iterable[str]) -> None:
        """Let events go that are no more."""
        gone = set(ids)
        self._focus = [event for event in self._focus if event.id not in gone]
        self._listed = [event for event in self._listed if event.id not in gone]


def _behind_intent(drop: Drop, moves: list[Move]) -> list[Move]:
    """Let a proposal fall for what takes its place, behind the report of the new wish."""
    at = 1 if moves and isinstance(moves[0], Intent) else 0
    return [*moves[:at], drop, *moves[at:]]


def _say(sentences: Iterable[str]) -> list[Move]:
    return [Say(sentence) for sentence in sentences]
