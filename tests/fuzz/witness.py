"""A witness of one call: keeps its own account of what was asked, heard and answered, from facts and duties alone.

It knows nothing of the machine's inside: what sounded when follows from the bytes that were sent, what was heard from
the marks that came back in their order, who spoke when from what was told. ``tests/call/test_consent`` holds the same
promise for a caller who meets questions in an ordinary session; here sessions come and go, and nothing is in order.
"""

from collections import deque

from phone_bridge.audio.format import PCMU_8K
from phone_bridge.call import commands as c
from phone_bridge.call import events as e
from phone_bridge.call import words
from phone_bridge.call.machine import Phase
from phone_bridge.call.past import Past
from phone_bridge.call.rules import NEVER_UNASKED, Rules
from tests.call.desk import Desk

YESES = ("yes please", "yes", "ja bitte")
MANY = 600  # things that may happen at one time, all marks of a flush among them; more is a loop without end
BYTES_A_MS = PCMU_8K.size(1)


class Naming:
    """The words of one action on their way to the caller's ear, once; times in milliseconds."""

    def __init__(self, starts: int) -> None:
        self.starts = starts
        self.ends = 0.0
        self.marks: deque[str] = deque()
        self.began = False
        self.broken = False

    def back(self, mark: str) -> None:
        """A mark came back: in its turn it proves what is before it; ahead of it neither it nor those it passed do."""
        if mark not in self.marks:
            return
        if self.marks[0] == mark:
            self.began = True
        else:
            self.broken = True
        while self.marks.popleft() != mark:
            pass


class Proposal:
    def __init__(self, asked: e.ConfirmationAsked | e.ToolPrepared, session: int) -> None:
        self.id, self.action, self.session = asked.id, asked.action, session
        self.texts = {words.question(asked.action, tag).text for tag in words.LANGUAGES}  # the call may change its own
        self.function = isinstance(asked, e.ToolPrepared)
        self.namings: list[Naming] = []
        self.heard_at: float | None = None
        self.fate = ""  # answered, settled by its session, or void because that was lost
        self.confirmed = False
        self.is_noted = True

    def began(self, now: int) -> bool:
        return any(naming.began and now > naming.starts for naming in self.namings)


class Witness(Desk):
    def __init__(self, rules: Rules, past: Past | None = None) -> None:
        self.rules = rules
        self.past = past
        self.event: e.Event | None = None
        self.session = 0
        self.proposals: list[Proposal] = []
        self.called: dict[tuple[int, str], e.Action] = {}  # functions by session and its name for them
        self.given: set[tuple[int, str]] = set()
        self.preparing: dict[str, e.Action] = {}  # of the present session
        self.ran: dict[str, bool] = {}  # ids of tools that run, and whether they have come to their end
        self.prompts: dict[str, tuple[c.Speak, list[Proposal | None]]] = {}
        self.sounding: dict[str, tuple[Proposal, Naming]] = {}  # by mark
        self.marks: set[str] = set()
        self.end = 0  # of all that was sent, in bytes of the line
        self.voice_at: int | None = None
        self.said_at: int | None = None
        self.heard: deque[bytes] = deque()
        self.spoken_ms: dict[str, float] = {}
        self.opening = False  # a session was asked for and has not come
        self.spares = 0
        self.losses = 0
        self.closed = self.hung_up = False
        self.leg_gone = False
        self._at, self._many = -1, 0
        super().__init__(rules, past=past)

    # What happens

    def tell(self, *events: e.Event) -> None:
        for event in events:
            self.event = event
            self.notice(event)
            before = self.call.phase
            super().tell(event)
            assert self.call.phase is Phase.ENDED or before is not Phase.ENDED, "nothing lives after its end"
            self.event = None

    def _happen(self) -> None:
        self._many = self._many + 1 if self.now == self._at else 0
        self._at = self.now
        assert self._many < MANY, f"the deadline {self.call.deadline()} does not move from {self.now}"
        super()._happen()

    def _take(self, commands: list[c.Command]) -> None:
        if hasattr(self, "call"):
            self.observe(commands)
        super()._take(commands)

    def notice(self, event: e.Event) -> None:
        """Take down what is told to the call, before it knows."""
        match event:
            case e.MarkReached(mark) if mark in self.sounding:
                self._back(mark)
            case e.VoiceStarted(at):
                self.voice_at = min(at, self.now) if self.voice_at is None else self.voice_at
            case e.CallerSaid(text, final, began):
                self._words(text, began, final=final)
            case e.CallerHeard(audio):
                self.heard.append(audio)
            case e.AssistantSpoke(item, audio):
                self.spoken_ms[item] = self.spoken_ms.get(item, 0.0) + len(audio) / BYTES_A_MS
            case e.LegClosed():
                self.leg_gone = self.leg_gone or self.call.phase is not Phase.ENDED
            case _:
                self._notice_session(event)

    def _notice_session(self, event: e.Event) -> None:
        match event:
            case e.ConfirmationAsked(id) if self.call.phase is Phase.TALKING and self.open(id, known=True) is None:
                self.proposals.append(Proposal(event, self.session))
            case e.ActionSettled(id) if self.call.phase is not Phase.ENDED and (settled := self.open(id)):
                settled.fate = "settled"
            case e.ToolCalled(id, action) if self.call.phase is Phase.TALKING:
                self.called.setdefault((self.session, id), action)
            case e.ToolPrepared(id) if self.call.phase is not Phase.ENDED and id in self.preparing:
                del self.preparing[id]
                if not event.refusal:
                    self.proposals.append(Proposal(event, self.session))
            case e.ToolRan(id) if id in self.ran:
                self.ran[id] = True
            case e.SessionOpened() | e.SessionClosed():
                self.opening = False
            case e.SpareReady() | e.SpareFailed():
                self.spares = 0

    def _words(self, text: str, began: int | None, *, final: bool) -> None:
        if final:
            self.said_at = self.voice_at if self.voice_at is not None else self.now - self.rules.unseen_speech_ms
            self.said_at = self.said_at if began is None else min(began, self.now)
            self.voice_at = None
        elif text.strip() and self.voice_at is None and began is None:
            self.voice_at = self.now

    def _back(self, mark: str) -> None:
        proposal, naming = self.sounding[mark]
        naming.back(mark)
        if not naming.marks and not naming.broken and proposal.heard_at is None:
            proposal.heard_at = max(self.now, naming.ends)

    def open(self, id: str, *, known: bool = False, function: bool = False) -> Proposal | None:
        """Find the proposal of the present session that waits for its answer; ``known``: or has had it."""
        ours = (each for each in self.proposals if each.session == self.session and each.function == function)
        found = (each for each in ours if each.id == id)
        return next((each for each in found if known or not each.fate), None)

    # What comes of it

    def observe(self, commands: list[c.Command]) -> None:
        """Take down what the call asks for."""
        sent = 0
        for command in commands:
            assert not (self.closed and isinstance(command, c.SessionCommand)), "a duty to a session that was closed"
            assert not (self.hung_up and isinstance(command, c.LegCommand)), "a duty to a leg that was let go"
            if isinstance(command, c.Play):
                sent = self._play(command, sent)
            elif isinstance(command, c.PumpCommand):
                self._of_the_pump(command)
            else:
                self._of_an_end(command)
        self._fates_of_functions()
        self._note_losses()

    def _of_the_pump(self, command: c.PumpCommand) -> None:
        match command:
            case c.Speak():
                assert command.prompt not in self.prompts, "a prompt's name comes once"
                self.prompts[command.prompt] = command, [self._named(line) for line in command.lines]
            case c.OpenSession():
                self.opening = True
            case c.OpenSpare():
                self.spares += 1
                assert self.spares == 1, "one spare session at a time"
            case c.PrepareTool(id, action):
                assert self._is_called(action), "what is prepared was called"
                assert not self.rules.reads(action.name)
                self.preparing[id] = action
            case c.RunTool():
                self._check_run(command)
            case c.TakeSpare():
                self._note_losses()
                assert all(each.fate for each in self.proposals), "a session is left that waits for an answer"
                self._new_session()

    def _of_an_end(self, command: c.Command) -> None:
        match command:
            case c.Flush():
                self.end = min(self.end, self.now * BYTES_A_MS)
                self.sounding.clear()
            case c.Answer():
                self._check(command)
            case c.GiveResult(id):
                assert (self.session, id) in self.called, "a result for what this session never called"
                assert (self.session, id) not in self.given, "a result is given once"
                self.given.add((self.session, id))
            case c.Listen(audio):
                self._listened(audio)
            case c.Truncate(item, heard_ms):
                assert 0 <= heard_ms <= self.spoken_ms.get(item, 0.0), "more was heard than was said"
            case c.CloseSession():
                self.closed = True
            case c.HangUp():
                self.hung_up = True
                assert not self.leg_gone, "a leg that is gone cannot be let go"

    def _note_losses(self) -> None:
        """Know of a session that was lost, by what is told to or what has stalled: its questions are void."""
        if self.call.trace.counts.losses > self.losses:
            self.losses = self.call.trace.counts.losses
            self._new_session()

    def _play(self, play: c.Play, sent: int) -> int:
        """Find out whose sound it is: that of a prompt plays in the order of its lines, each to its end."""
        begins = max(self.end, self.now * BYTES_A_MS)
        if play.audio:
            self.end = begins + len(play.audio)
        if play.mark:
            assert play.mark not in self.marks, "a mark comes once"
            self.marks.add(play.mark)
        if not isinstance(self.event, e.PromptReady):
            return sent
        place, within = self._line_at(self.event, sent if play.audio else sent - 1)
        proposal = self.prompts[self.event.prompt][1][place] if place >= 0 else None
        if proposal is not None:
            if play.audio and not within:
                proposal.namings.append(Naming(begins // BYTES_A_MS))
            naming = proposal.namings[-1]
            naming.ends = self.end / BYTES_A_MS
            if play.mark:
                naming.marks.append(play.mark)
                self.sounding[play.mark] = proposal, naming
        return sent + len(play.audio)

    def _line_at(self, ready: e.PromptReady, offset: int) -> tuple[int, int]:
        """Give the line that holds the byte at ``offset``, and the byte's place in it; -1 before the first."""
        for place, part in enumerate(ready.parts if offset >= 0 else ()):
            if offset < len(part):
                return place, offset
            offset -= len(part)
        return -1, 0

    def _named(self, line: c.Line) -> Proposal | None:
        """Find the question that a line belongs to: the oldest that waits and has these words."""
        if not line.key.startswith("question."):
            return None
        waiting = (each for each in self.proposals if not each.fate and line.text in each.texts)
        found = next(waiting, None)
        assert found or any(line.text in each.texts for each in self.proposals if each.confirmed), (
            "a question from nowhere"
        )
        return found

    def _listened(self, audio: bytes) -> None:
        while self.heard:
            if self.heard.popleft() == audio:
                return
        raise AssertionError("the session hears what the caller never said, or hears it twice")

    def _new_session(self) -> None:
        for each in self.proposals:
            each.fate = each.fate or "void"
        self.preparing.clear()
        self.session += 1

    # Consent

    def _check(self, answer: c.Answer) -> None:
        proposal = self.open(answer.id)
        assert proposal is not None, "what is answered is open, in this session, and was not answered before"
        assert answer.action == proposal.action, "what is answered is what was proposed"
        proposal.fate = "answered"
        proposal.confirmed = answer.verdict is c.Verdict.CONFIRMED
        if not proposal.confirmed:
            assert answer.permit is None
            proposal.is_noted = not self._had_its_yes(proposal)
            return
        assert not self._had_its_yes(proposal), "a yes is never sent twice, not to another session either"
        assert answer.permit is not None
        answer.permit.use(proposal.action, self.now)
        self._check_yes(proposal)

    def _check_yes(self, proposal: Proposal) -> None:
        """See that what happens just now is a yes to ``proposal``."""
        if isinstance(self.event, e.DigitPressed):
            assert self.event == e.DigitPressed("1")
            assert proposal.began(self.now), "nobody can consent to a question that has not begun"
        elif isinstance(self.event, e.CallerSaid):
            assert self.event.final
            assert self.event.text in YESES
            assert proposal.heard_at is not None, "a yes needs the action to have been named to its end"
            assert self.said_at is not None
            assert self.said_at >= proposal.heard_at, "a yes counts from the naming's end"
        else:
            assert isinstance(self.event, e.ToolPrepared if proposal.function else e.ConfirmationAsked)
            assert proposal.action.name in self.rules.auto_confirm - NEVER_UNASKED

    # Functions

    def _is_called(self, action: e.Action) -> bool:
        return any(session == self.session and each == action for (session, _), each in self.called.items())

    def _check_run(self, run: c.RunTool) -> None:
        assert run.id not in self.ran, "a tool runs once"
        self.ran[run.id] = False
        if run.permit is None:
            assert self.rules.reads(run.action.name), "what does more than read needs a yes"
            assert self._is_called(run.action)
            return
        proposal = self.open(run.id, function=True)
        assert proposal is not None, "what runs is what was asked, in this session, and was not answered before"
        assert run.action == proposal.action
        proposal.fate, proposal.confirmed = "answered", True
        run.permit.use(proposal.action, self.now)
        self._check_yes(proposal)

    def _fates_of_functions(self) -> None:
        """Know a function's question as answered by what the record says of it."""
        noted = {(asked.id, asked.verdict) for asked in self.call.trace.actions}
        for each in self.proposals:
            if each.function and not each.fate and any((each.id, verdict) in noted for verdict in c.Verdict):
                each.fate = "answered"

    def _had_its_yes(self, proposal: Proposal) -> bool:
        ours = [(each.id, each.action) for each in self.proposals if each.confirmed and each is not proposal]
        past = self.past.actions if self.past is not None else ()
        earlier = [(asked.id, asked.action) for asked in past if asked.verdict is c.Verdict.CONFIRMED]
        return (proposal.id, proposal.action) in [*ours, *earlier]

    # At the end

    def conclude(self) -> None:
        """See that nothing is left undone."""
        trace = self.call.trace
        assert self.ended
        assert self.call.deadline() is None
        assert self.call.expire(self.now + 1) == []
        assert len(self.of(c.CloseSession)) == 1
        assert len(self.of(c.HangUp)) == (0 if self.leg_gone else 1)
        assert all(each.fate for each in self.proposals), "a question has no answer"
        noted = [(asked.id, asked.action) for asked in trace.actions]
        told = [(asked.id, asked.action) for asked in (self.past.actions if self.past else ())]
        ours = [(each.id, each.action) for each in self.proposals if each.is_noted]
        assert sorted(noted, key=repr) == sorted([*told, *ours], key=repr), "the record is not what was proposed"
        times = [said.at_ms for said in trace.transcript]
        assert times == sorted(times), "the transcript is in the order of time"
        assert trace.ended_by
