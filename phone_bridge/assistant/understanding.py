"""From a caller's words to a wish: a grammar of what one says to a calendar, and no guessing.

The words come from a recogniser (no punctuation, numbers in words) or from a keyboard. What no pattern explains is a
``fragment``, which only answers a question; what is explained but not surely has a confidence below ``SURE``, and the
talk asks back.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date

from msgspec import structs

from phone_bridge.assistant import sayings
from phone_bridge.assistant.masking import TIME, Times, Turn, masked, without_manners
from phone_bridge.assistant.naming import title, title_of
from phone_bridge.assistant.phrase import Phrase, tokens
from phone_bridge.assistant.pointing import ARTICLES, GENERIC, PREPOSITIONS, point, pointed, time_of_event
from phone_bridge.assistant.spoken_time import scan
from phone_bridge.assistant.when import NO_TIME, Between, Lead, Length, Piece, Repeat, Shift, When, gather
from phone_bridge.assistant.wishes import Reference, Wish
from phone_bridge.call import pin_words
from phone_bridge.call.through import Whom, wanted

SURE = 0.7
"""From this confidence on a wish is followed; below it the talk asks back."""
DOUBTFUL = 0.5
WORDS_MAX = 40
"""A turn of more words is no wish that one says to a calendar; it is not read further."""
TITLE_WORDS_MAX = 8
"""A title of more words was probably heard wrong."""

_SMALL_WORDS = ARTICLES | PREPOSITIONS | GENERIC | frozenset(
    ("it", "make", "is", "be", "i", "mean", "meant", "said", "rather", "long", "or", "maybe")
)  # fmt: skip
_HESITATION = frozenset(("um", "uh", "er", "erm", "hmm", "mm", "uhm"))
_WRITERS = ("create_event", "update_event", "cancel_event", "create_reminder")
_ASPECTS = {
    "when": "time",
    "what time": "time",
    "what day": "time",
    "where": "place",
    "who": "people",
    "how long": "length",
}


def understand(text: str, today: date, titles: Iterable[str] = ()) -> Wish:
    """Understand a turn said on ``today``; ``titles`` are those of the caller's calendar. Never raises."""
    said = [token for token in tokens(text) if token.word not in _HESITATION]
    if len(said) > WORDS_MAX:
        return Wish(name="fragment", confidence=0.0)
    if pin_words.wishes(text, "en"):
        return Wish(name="pin")
    plain = " ".join(token.word for token in said)
    for name, pattern in _TALK_RULES:
        if pattern.fullmatch(plain):
            return Wish(name=name)
    if wanted(text).whom is not Whom.NOBODY:
        return Wish(name="put_through")
    body = without_manners(said)
    plain = " ".join(token.word for token in body)
    turn = masked(body, today, titles)
    if (wish := sayings.said(turn)) is not None:
        return wish
    if _DONT.fullmatch(plain) and not _FORGET.match(plain):
        return Wish(name="never_mind")
    for pattern, make in _RULES:
        match = pattern.fullmatch(turn.bones if make in _OVER_BONES else turn.text)
        wish = make(turn, match) if match else None
        if wish is not None:
            return _weighed(wish, plain)
    return fragment(text, today)


def fragment(text: str, today: date) -> Wish:
    """Read a turn as an answer to a question: a time, a length, which one, or a title."""
    said = [token for token in tokens(text) if token.word not in _HESITATION]
    body = without_manners(said[:WORDS_MAX])
    turn = masked(body, today, bare=True)
    times = Times(tuple(turn.pieces))
    left = [token for item in turn.items if item.piece is None for token in item.said]
    reference = point(body, today)  # "the second" is one of a list
    if reference.named() and not pointed(turn).named():
        reference = pointed(turn)  # "three" is a time
    return Wish(
        name="fragment",
        when=time_of_event(times.pieces),
        length=times.length(),
        shift=times.shift(1),
        lead=times.lead(),
        reference=reference,
        title="" if {token.word for token in left} <= _SMALL_WORDS else title(left),
    )


def _names_two(wish: Wish) -> bool:
    """Tell whether two things seem to be named at once, as in "cancel the dentist and the lunch"."""
    return wish.name in ("cancel_event", "update_event") and wish.reference is not None and wish.reference.joined


def _weighed(wish: Wish, plain: str) -> Wish:
    """Lower the confidence where words speak against the wish or for a second one."""
    negated = wish.name in _WRITERS and _NEGATION.match(_FORGET.sub("", plain))
    again = wish.name in _WRITERS and not wish.repeat and _REPETITION.search(plain)
    doubtful = _SECOND_ORDER.search(plain) or negated or again or _names_two(wish)
    return structs.replace(wish, confidence=min(wish.confidence, DOUBTFUL)) if doubtful else wish


# Words of the talk itself

_TALK = {
    "greeting": r"(?:(?:hello|hi|hey|good (?:morning|afternoon|evening|day))(?: there| assistant| again)?)"
    r"(?: how are you(?: doing)?(?: today)?)?|how are you(?: doing)?(?: today)?",
    "thanks": r"(?:many )?thanks(?: a lot)?|thank you(?: very much| so much)?|great|perfect|wonderful|very good",
    "goodbye": r"(?:(?:okay|no|thank you|thanks) )*(?:goodbye|good bye|bye(?: bye)?|see you(?: later| soon| tomorrow)?"
    r"|have a nice day|that's (?:all|it)(?: for (?:today|now))?|that is (?:all|it)|that will be all|that'll be all"
    r"|(?:that's|that is|that was|this is) (?:all|it|everything)|nothing else|hang up|i'm done|end the call"
    r"|i have to go(?: now)?"
    r"|(?:talk|speak) to you (?:later|soon)|have a good (?:day|one|evening))(?: (?:thanks|thank you|bye|goodbye))*",
    "repeat": r"(?:(?:can you|could you|please) )*(?:(?:say|repeat)(?: (?:that|it|this))?(?: again)?|again"
    r"|pardon(?: me)?|sorry|excuse me|what|(?:sorry )?what did you say|come again|(?:sorry |pardon )?what was that"
    r"|i (?:didn't|did not) (?:catch|hear|get|understand) (?:that|you))(?: please)?",
    "help": r"(?:i need (?:some )?|can you |please )*help(?: me)?(?: please)?|what else can (?:you|i) (?:do|say|ask)"
    r"|what can (?:you|i) (?:do|say|ask)(?: here| for me)?|what are my options"
    r"|how does this work",
    "never_mind": r"(?:no )?(?:never mind|nevermind|forget (?:it|that|about it)|leave it(?: as it is| alone)?|stop"
    r"|nothing|no|nope|no thanks|no thank you|don't|i changed my mind)(?: please)?",
    "wait": r"(?:please )?(?:(?:wait|hold on|hang on|just)(?: a (?:moment|minute|second))?|one moment|let me think)"
    r"(?: please)?",
    "yes": r"yes|yeah|yep|sure|okay|ok|of course|yes please|all right|alright",
}
_TALK_RULES = [(name, re.compile(rf"(?:{pattern})")) for name, pattern in _TALK.items()]
_DONT = re.compile(
    r"(?:(?:please|no) )*(?:don't|do not|never|i (?:don't|do not) want(?: you)? to|you (?:don't|do not) have to) .+"
)
_FORGET = re.compile(r"(?:don't|do not) (?:let me )?forget ")
_NEGATION = re.compile(r"(?:^|.* )(?:not|don't|never|didn't|won't|no)(?: |$)")
_REPETITION = re.compile(r"\b(?:every|each|daily|weekly|monthly|yearly)\b")
_SECOND_ORDER = re.compile(
    r" (?:and|then) (?:then )?(?:cancel|delete|remove|move|reschedule|schedule|book|create|add|remind) "
)


# From a pattern to a wish; None lets the next rule try


def _next(turn: Turn, match: re.Match[str]) -> Wish | None:
    aspect = _ASPECTS.get(match.groupdict().get("asked") or "", "")
    if turn.pieces and "next" not in turn.bones.split():
        return _overview(turn, match)
    if turn.pieces:
        reference = Reference(upcoming=True, when=time_of_event(turn.pieces))
        return Wish(name="search_events", reference=reference, aspect=aspect)
    return Wish(name="get_next_event", aspect=aspect)


def _search(turn: Turn, match: re.Match[str]) -> Wish | None:
    named = turn.group(match, "ref")
    reference = pointed(named) if named.items else Reference(pronoun=True)
    aspect = _ASPECTS.get(match.groupdict().get("asked") or "", "")
    return Wish(name="search_events", reference=reference, aspect=aspect)


def _have(turn: Turn, match: re.Match[str]) -> Wish | None:
    """Read "do I have a … on Monday?": what is named is searched for, a meeting of any kind asks for the day."""
    reference = pointed(turn.group(match, "ref"))
    if reference.named():
        return Wish(name="search_events", reference=reference)
    return None if reference.pronoun else _overview(turn, match)


def _overview(turn: Turn, match: re.Match[str]) -> Wish | None:
    when = gather(turn.pieces)
    if not when and "week" in turn.bones.split():
        when = gather(found.piece for found in scan(Phrase(("this", "week")), turn.today))
    return Wish(name="get_day_overview", when=when)


def _shown(turn: Turn, match: re.Match[str]) -> Wish | None:
    """Read "show me next week"."""
    return _overview(turn, match) if turn.pieces else None


def _free(turn: Turn, match: re.Match[str]) -> Wish | None:
    length = Times(tuple(turn.pieces)).length()
    aspect = "slots" if match.groupdict().get("slots") else ""
    return Wish(name="check_availability", when=time_of_event(turn.pieces), length=length, aspect=aspect)


def _create(turn: Turn, match: re.Match[str]) -> Wish | None:
    what = turn.group(match, "what")
    all_day = "all day" in what.text
    what = what.without("all", "day") if all_day else what
    what = what.without("as") if what.text.startswith(f"{TIME} as ") else what  # "mark Friday as a holiday"
    an_hour = what.bones.startswith("hour ")  # "schedule hour review": a small recogniser drops the article
    name = title_of(what.without("hour") if an_hour else what)
    return Wish(
        name="create_event",
        confidence=0.95 if len(name.split()) <= TITLE_WORDS_MAX else DOUBTFUL,
        title=name,
        when=time_of_event(turn.pieces),
        aspect="all_day" if all_day else "",
        repeat=repeated(turn.pieces),
        length=60 if an_hour else Times(tuple(turn.pieces)).length(),
    )


def repeated(pieces: Iterable[Piece]) -> str:
    """Find how often it comes again; of "weekly" and "on Mondays" the narrower."""
    return max((piece.rule for piece in pieces if isinstance(piece, Repeat)), key=len, default="")


def _have_new(turn: Turn, match: re.Match[str]) -> Wish | None:
    """Read "I have a dentist appointment on Monday at three" as a wish to keep it."""
    return _create(turn, match) if time_of_event(turn.pieces) else None


def _cancel(turn: Turn, match: re.Match[str]) -> Wish | None:
    named = turn.group(match, "ref")
    return Wish(name="cancel_event", reference=pointed(named) if named.items else None)


def _move(turn: Turn, match: re.Match[str]) -> Wish | None:
    """Read a move: what, and where to by a time or by how much."""
    what = turn.group(match, "what")
    shift = _shifted(match.group("verb"), what)
    if shift is not None:
        return Wish(name="update_event", reference=_moved(what), shift=shift)
    joints = (at for at, item in enumerate(what.items) if item.sign in ("to", "until", "for"))
    for at in joints:
        times = Turn(what.items[at + 1 :], turn.today).only_time(_SMALL_WORDS)
        if times is not None:
            left = Turn(what.items[:at], turn.today)
            return Wish(name="update_event", reference=_moved(left), when=times.when, length=times.length())
    return _from_to(what) or Wish(name="update_event", reference=_moved(what))


def _shifted(verb: str, what: Turn) -> int | None:
    """Say by how much to move; "move it forward" is earlier to half of all people and later to the others."""
    times = Times(tuple(what.pieces))
    if verb == "bring":
        minutes = times.shift(-1) or (times.length() or 0) * -1
        return minutes or None
    return None if "forward" in what.bones.split() else times.shift(1)


def _moved(what: Turn) -> Reference | None:
    """Point at what is moved: without the particles of the verb, and without how far."""
    left = what.without("back", "forward", "up", "out", "off", "later", "earlier", "from", kinds=(Shift, Length))
    return pointed(left) if left.items else None


def _from_to(what: Turn) -> Wish | None:
    """Read "move it from three to four", where the two times stand as one range."""
    times = next((piece for piece in what.pieces if isinstance(piece, Between)), None)
    if times is None:
        return None
    rest = what.without(kinds=(Between,))
    reference = pointed(rest)
    pronoun = reference.pronoun and rest.bones not in ("the", "my")  # "the three thirty to four"
    reference = structs.replace(reference, pronoun=pronoun, when=When(day=reference.when.day, start=times.start))
    return Wish(name="update_event", reference=reference, when=When(start=times.end))


def _make(turn: Turn, match: re.Match[str]) -> Wish | None:
    """Read "make it four instead", "make it an hour longer", "make it two hours long"."""
    what = turn.group(match, "what")
    words = what.bones.split()
    for word, sign in (("longer", 1), ("shorter", -1)):
        if word in words:
            return _stretched(what, sign)
    if words[:1] not in (["it"], ["that"], ["this"], ["the"], ["my"]) and words[-1:] != ["long"]:
        return None
    for at in range(1, len(what.items)):
        times = Turn(what.items[at:], turn.today).only_time(_SMALL_WORDS)
        if times is not None and times.begins:
            reference = pointed(Turn(what.items[:at], turn.today))
            shift, length = times.shift(1), times.length()
            return Wish(name="update_event", reference=reference, when=times.when, shift=shift, length=length)
    return Wish(name="update_event", reference=_moved(what)) if {"earlier", "later"} & set(words) else None


def _instead(turn: Turn, match: re.Match[str]) -> Wish | None:
    """Read "can we do Thursday instead?" and "let's say four" about what is being talked of."""
    times = turn.group(match, "what").only_time(_SMALL_WORDS)
    if times is None:
        return None
    shift, length = times.shift(1), times.length()
    return Wish(name="update_event", reference=Reference(pronoun=True), when=times.when, shift=shift, length=length)


def _stretch(turn: Turn, match: re.Match[str]) -> Wish | None:
    """Read "extend it by half an hour" and "shorten it to twenty minutes"."""
    return _stretched(turn.group(match, "what"), -1 if match.group("verb") in ("shorten", "cut") else 1)


def _stretched(what: Turn, sign: int) -> Wish:
    times = Times(tuple(what.pieces))
    minutes = times.length() or times.shift(1)
    whole = "to" in what.bones.split()
    left = what.without("longer", "shorter", "to", "by", kinds=(Shift, Length))
    return Wish(
        name="update_event",
        reference=pointed(left),
        aspect="length",
        length=minutes if whole else None,
        stretch=minutes * sign if minutes is not None and not whole else None,
    )


def _rename(turn: Turn, match: re.Match[str]) -> Wish | None:
    named = turn.group(match, "ref")
    reference = pointed(named) if named.items else Reference(pronoun=True)
    return Wish(name="update_event", reference=reference, title=title(turn.group(match, "title").said))


def _remind(turn: Turn, match: re.Match[str]) -> Wish | None:
    """Read what to remind of: something to do at a time, or an event and how long before it."""
    what = turn.group(match, "what")
    if what.text.startswith("me up"):
        return Wish(name="create_reminder", title="Wake up", when=time_of_event(turn.pieces))
    lead = Times(tuple(what.pieces)).lead()
    wish = Wish(name="create_reminder", when=time_of_event(turn.pieces), lead=lead)
    if lead is not None:
        reference = pointed(what.without("about", "of", "for", kinds=(Lead,)))
        return structs.replace(wish, reference=reference, when=NO_TIME)
    named = _TASK.match(what.text)
    if named is None:
        return structs.replace(wish, title="" if set(what.bones.split()) <= _SMALL_WORDS else title_of(what))
    task = what.group(named, "task")
    if named.group("how") == "to":
        return structs.replace(wish, title=title_of(task))
    about = pointed(task)
    return structs.replace(wish, title=title_of(task) if about.named() else "", reference=about)


# The patterns, the first one that fits counts

Rule = Callable[[Turn, re.Match[str]], Wish | None]
_TASK = re.compile(r"(?:.*? )??(?P<how>to|about|of|for|that) (?P<task>(?!~$).+)")
_THINGS = r"(?:meetings?|appointments?|events?|calls?|plans|things?|one|ones)"
_MANY = r"(?:meetings|appointments|events|calls|plans|things)"
_AGENDA = r"(?:calendar|schedule|agenda|day|diary|week|plans?)"
_MINE = r"(?:my|the|our)"
_ON_AGENDA = rf"(?:(?: (?:on|in|for|from|of))?(?: {_MINE} {_AGENDA})?(?: (?:on|for|like|look like|looking like))?)"
_PLANNED = r"(?:(?: (?:on|in|for|up|planned|scheduled|going on|going|happening|to do|coming up|else|left|there))*)"
_CANCEL = r"(?:cancel|delete|remove|drop|call off|get rid of|scrap|clear)"
_HAVE = r"(?:do i have|have i got|is there|are there)"
_OFF = rf"(?: (?:from|off|in|on) {_MINE} {_AGENDA})?"

_PATTERNS: tuple[tuple[Rule, tuple[str, ...]], ...] = (
    (
        _remind,
        (
            r"(?:remind me|ping me|nudge me|buzz me)(?: again)?(?: (?P<what>.+))?",
            r"wake (?P<what>me up.*)",
            r"give me a (?:shout|ring|nudge|buzz|reminder)(?: (?P<what>.+))?",
            r"(?:don't|do not) (?:let me )?forget (?P<what>.+)",
            r"(?:set|create|add|make|give|i need)(?: me)?(?: up)? (?:a|another|the) reminder(?: (?P<what>.+))?",
        ),
    ),
    (
        _next,
        (
            rf"(?P<asked>what|when|where|who|how long)(?:'s| is| are)(?: (?:on|up|coming))?(?: {_MINE})? next"
            rf"(?: {_THINGS})?(?: with)?{_ON_AGENDA}",
            rf"(?:(?:tell me|give me|show me|read me)(?: about)? )?(?:(?:what's|what is) )?{_MINE} next {_THINGS}",
            r"what(?:'s| is)? (?:coming(?: up)?|comes)(?: next)?",
            r"what (?:do i have(?: to do)?|have i got|should i do) next",
            r"(?P<asked>where|who) (?:do i have to be|am i going|am i meeting|do i meet|am i seeing|do i see) next",
            r"(?P<asked>when) do i (?:have to|need to) (?:leave|go)",
        ),
    ),
    (
        _free,
        (
            r"(?P<slots>when|what time) (?:am|will) i(?: be)? (?:free|available)(?: for)?",
            r"(?P<slots>when) do i have(?: any| some)?(?: free)? time",
            r"(?:if |whether )?(?:am i|i am|i'm|will i be|are we) (?:free|available|busy|booked|open)"
            r"(?: (?:for|on|at|in))?",
            rf"{_HAVE}(?: any| some| enough)? (?:free )?(?:time|room|space)(?: free| available)?(?: for| on)?",
            r"(?:is|are) (?:free|available|open|okay|ok|possible)",
            r"(?:can|could) i (?:meet|fit in)(?: \S+){0,6}",
            rf"(?P<slots>{_HAVE}|find me|find)(?: a| an| some| any)?(?: free| open)?"
            r" (?:slots?|hour|moment|gap|window|time)(?: free)?(?: for(?: an? \w+)?)?",
        ),
    ),
    (
        _overview,
        (
            rf"what(?:'s| is| are| am i| do i have| i have| have i got)?{_PLANNED}{_ON_AGENDA}{_PLANNED}",
            rf"(?:what|how)(?:'s| does| do| is| will)(?: {_MINE}(?: {_AGENDA})?)?"
            rf"(?: (?:look|looks|looking|be looking))?(?: like)?{_ON_AGENDA}",
            rf"(?:(?:read|tell|give|show|run)(?: me)?(?: out| through)? )?(?:what are )?{_MINE} (?:{_AGENDA}|{_MANY})"
            r"(?: (?:for|on|of))?",
            rf"(?:read|tell|give|show|list)(?: me)?(?: {_AGENDA}| {_MANY})",
            rf"(?:give me |read me )?(?:(?:a|the) )?(?:summary|overview) of {_MINE} {_AGENDA}",
            rf"(?:sum up|summari[sz]e) {_MINE} {_AGENDA}",
            rf"(?:who|what) (?:do|am|will) i (?:meet|meeting|see|seeing)|when does {_MINE} day (?:start|begin|end)",
            rf"(?:what|which|how many) {_THINGS} (?:do i have|are there|have i got){_PLANNED}{_ON_AGENDA}",
            rf"(?:{_HAVE} )?(?:anything|something|any {_THINGS}){_PLANNED}{_ON_AGENDA}",
            rf"{_HAVE} {_THINGS}{_PLANNED}{_ON_AGENDA}",
            rf"how busy am i|list {_MINE} {_THINGS}|what am i doing|what's the plan|(?:what|how) about",
        ),
    ),
    (_shown, (r"(?:show|read|tell|give)(?: me)?",)),
    (
        _search,
        (
            r"(?P<asked>how long) (?:does|will) (?P<ref>.+) (?:take|last|go|be)",
            r"(?P<asked>when|where|what time|what day|how long)(?:'s| is| are| was| will) (?P<ref>.+?)(?: be| take)?",
            r"(?P<asked>who)(?:'s| is| are)(?: (?:coming|attending|invited|there|going))?(?: (?:to|in|at|for|on))?"
            r"(?: (?P<ref>.+))?",
            r"(?P<asked>when|what time|what day) (?:do|am|will) i (?:meet|see|meeting|seeing|have|having|be meeting"
            r"|talk to|speak to|go to|going to)(?: with)? (?P<ref>.+)",
            r"(?:find|search for|search|look for|look up|show me|show|tell me about|tell me|do you see|what about"
            r"|how about) (?P<ref>.+)",
            r"what(?:'s| is) (?P<ref>my .+)",
        ),
    ),
    (_have, (rf"{_HAVE} (?:(?:a|an|any|another|{_MINE}) )?(?P<ref>.+)",)),
    (
        _rename,
        (
            r"(?:rename|retitle|call) (?P<ref>.+?) (?:to|as|into) (?P<title>[^~]+)",
            r"change (?:the )?(?:title|name|subject) (?:of (?P<ref>.+?) )?to (?P<title>[^~]+)",
        ),
    ),
    (_instead, (r"(?:let's )?(?:do|say|have|take|put|set)(?: (?:it|that|this|that one|this one))? (?P<what>.+)",)),
    (_stretch, (r"(?P<verb>extend|shorten|lengthen|prolong|cut) (?P<what>.+)",)),
    (_make, (r"make (?P<what>.+)",)),
    (
        _move,
        (
            r"(?P<verb>move|reschedule|shift|push|change|postpone|delay|bring|put off|put back|switch) (?P<what>.+)",
            r"(?P<verb>put|set) (?P<what>(?:it|that|this|that one|this one) .+)",
        ),
    ),
    (
        _cancel,
        (
            r"call (?P<ref>.+) off",
            rf"take (?P<ref>.+) off(?: {_MINE} {_AGENDA})?",
            rf"{_CANCEL}(?: (?P<ref>.+?))?{_OFF}",
        ),
    ),
    (
        _create,
        (
            r"(?:make a note|note) (?:that|of)(?: i have| i've got)?(?: (?:a|an))? (?P<what>.+)",
            r"(?:create|add|make(?! me)|schedule|book|set up|plan|arrange|put|enter|organi[sz]e|set|new)"
            r"(?: (?P<what>.+))?",
            r"block(?: off)? (?P<what>.+)",
            r"(?:pencil in|fit in|squeeze in|note down|mark down|note) (?P<what>.+)",
            r"(?:i need|get me) (?P<what>(?:a|an|another) (?:\S+ ){0,3}(?:appointment|meeting|call|event|slot)\b.*)",
            r"mark (?P<what>.+ as .+)",
        ),
    ),
    (_have_new, (r"(?:i have|i've got|i need|i want|there's|there is) (?:a|an)(?: new)? (?P<what>.+)",)),
)
_RULES = [(re.compile(pattern), rule) for rule, patterns in _PATTERNS for pattern in patterns]
_OVER_BONES = (_next, _free, _overview, _shown)
