"""What a caller can say to a calendar by telephone, as grammars that a small decoder can hear.

The words are those that the decoder gives back: lower case, numbers as words, no punctuation but the apostrophe and
the dots of ``a.m.``. A caller's own titles and names come in as phrases. An alternative that is written twice is said
twice as often: the decoder prefers it where two words sound alike.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

_UNITS = (  # noqa: SIM905 - read more easily
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905 - read more easily
_SIGNS = {"&": " and ", "+": " plus ", "@": " at ", "%": " percent ", "w/": " with "}
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+")
_FUNCTION_WORDS = frozenset("a an and at by for from in of on or the to with my our your is".split())  # noqa: SIM905 - read more easily
PHRASES_MAX = 80
"""How many titles and names of the caller's one grammar takes; the first ones count."""
PHRASE_WORDS_MAX = 6
"""How many words of a title one can be asked to say."""


def spoken(title: str) -> str:
    """Write ``title`` in the words that the ear gives back: ``"Q3 Review"`` is ``"q three review"``."""
    text = title.lower().replace("’", "'").replace("ß", "ss")  # noqa: RUF001
    text = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    for sign, word in _SIGNS.items():
        text = text.replace(sign, word)
    return " ".join(_number(int(word)) if word.isdigit() else word for word in _WORD.findall(text))


def _number(value: int) -> str:
    """Write a number of up to two digits in words, and longer ones digit by digit."""
    if value < len(_UNITS):
        return _UNITS[value]
    if value < 100:
        tens, unit = divmod(value, 10)
        return f"{_TENS[tens]} {_UNITS[unit]}" if unit else _TENS[tens]
    return " ".join(_UNITS[int(digit)] for digit in str(value))


def parts(phrase: str) -> Iterator[str]:
    """Give the ways in which people call a thing titled ``phrase`` (spoken words): whole, or a run of its words."""
    words = phrase.split()[:PHRASE_WORDS_MAX]
    for first in range(len(words)):
        for last in range(len(words), first, -1):
            if words[first] not in _FUNCTION_WORDS and words[last - 1] not in _FUNCTION_WORDS:
                yield " ".join(words[first:last])


_TIMES = """
<weekday> = monday | tuesday | wednesday | thursday | friday | saturday | sunday;
<unit> = first | second | third | fourth | fifth | sixth | seventh | eighth | ninth;
<ordinal> = <unit> | tenth | eleventh | twelfth | thirteenth | fourteenth | fifteenth | sixteenth | seventeenth
  | eighteenth | nineteenth | twentieth | twenty <unit> | thirtieth | thirty first;
<month> = january | february | march | april | may | june | july | august | september | october | november | december;
<date> = today | tomorrow | the day after tomorrow | [on | this | next] <weekday> | [on] the <ordinal> [of <month>]
  | [on] <month> [the] <ordinal> | in (two | three | four | five) days | in a week | in two weeks;
<span> = this week | next week | this weekend | this month | next month;
<daypart> = morning | afternoon | evening;
<part> = in the <daypart> | this <daypart> | tonight;
<hour> = one | two | three | four | five | six | seven | eight | nine | ten | eleven | twelve;
<minute> = fifteen | thirty | forty five | ten | twenty | forty | fifty | oh five;
<time> = <hour> [<minute>] [a.m. | p.m. | in the <daypart>] | <hour> o'clock [in the <daypart>] | half past <hour>
  | [a] quarter (past | to) <hour> | (five | ten | twenty) (past | to) <hour> | noon | midday | midnight;
<range> = from <time> (to | until) <time> | between <time> and <time>;
<duration> = (five | ten | fifteen | twenty | thirty | forty five | sixty | ninety) minutes | half an hour | an hour
  | one hour | an hour and a half | (two | three | four | five | six) hours;
<day> = <date> [<daypart>] | <part>;
<when> = <day> [at <time> | in the <daypart> | <range>] | at <time> [<date>] | <range> [<date>];
<days> = <day> | <span>;
<repeat> = every (day | week | month | weekday | <weekday> | morning | evening) [at <time>];
"""

_THINGS = """
<kind> = meeting | meeting | meeting | appointment | appointment | call | call | lunch | dinner | breakfast | coffee
  | interview | workshop | review
  | training | party | dentist appointment | doctor's appointment | haircut | conference | presentation;
<things> = meetings | appointments | events | calls;
<person> = <known> | <known> | <known> | <name> | <phrase>;
<one> = [<kind>] with <person> | <kind> | one | event | <phrase> [meeting | appointment | call];
<clock> = <hour> [<minute>] [o'clock | a.m. | p.m.] | noon;
<thing> = [next | first | last | second | third | other] <one> | <clock> [<kind>] | <daypart> <kind>
  | (today's | tomorrow's) <one>;
<ref> = it | this | that [one | meeting | appointment] | this (one | meeting | appointment) | (the | my) <thing>
  | <phrase>;
<dated> = <ref> [<when>];
<fresh> = [<adjective>] <kind> [with <person>] | <phrase>;
<adjective> = team | business | project | status | birthday | phone | video | client;
<task> = call (<person> | <somebody>) | (email | text | meet | pay | ask) (<person> | <somebody>)
  | (buy | get) (milk | bread | groceries | flowers | a present | tickets) | take (my medicine | my pills | a break)
  | pick up (the kids | my (son | daughter | wife | husband | car | parcel) | the (laundry | groceries | parcel))
  | pay the (rent | bills | bill) | send the (report | invoice | email | slides) | water the plants | go to the gym
  | book (a | the) (flight | table | hotel | taxi) | prepare the (meeting | presentation | report | slides)
  | check my email | feed the (cat | dog) | walk the dog | do the laundry | leave | go shopping | take out the trash;
<somebody> = the (doctor | dentist | bank | office | school | plumber | garage | hotel | landlord)
  | my (mother | father | mom | dad | sister | brother | wife | husband | boss | son | daughter);
"""

_WISHES = """
<next> = (what is | what's | when is | when's | tell me | where is | where's) my next (meeting | appointment
  | event | call)
  | what's next | what is next | what's up next | what do i have next | what comes next | my next (meeting
  | appointment)
  | (what's | what is) coming up | when do i have to leave | what is my next one | next (meeting | appointment)
  | (what do i have | what have i got) next | what comes after (this | that) | where do i have to be next
  | (what's | what is) the next thing on my calendar | do i have (something | anything) coming up;
<agenda> = (calendar | schedule | agenda | day);
<look> = what do i have [on my (calendar | schedule | agenda)] <days> | what do i have to do <days>
  | (what's | what is) on [my <agenda>] [for] <days> | (what's | what is) on my <agenda> | (what's
  | what is) happening <days>
  | (what does | how does) my (day | week | morning | afternoon | schedule | calendar) look [like] [<days>]
  | what does <days> look like | (read | tell | give | show) me my (<agenda> | <things> | day) [for | on] [<days>]
  | what are my <things> [for] [<days>] | do i have (anything | something | any <things>) [planned
  | scheduled] [on] <days>
  | how many <things> do i have <days> | [and] (what about | how about) <days> | and <days>
  | what <things> do i have <days> | (list | go through) my <things> [[for] <days>] | what am i doing <days>
  | anything [on] <days> | (what's | what is) going on <days> | tell me what i have <days>
  | read me (today's | tomorrow's) <agenda> | do i (need | have) to be anywhere <days>;
<search> = (when is | when's | where is | where's | how long is | who is in | who is coming to | find | show me
  | tell me about) <dated> | who is coming
  | (search | look) for (<ref> | <phrase>) | when do i (meet | see) <person> | do i have (a | an) <one> [<days>]
  | what time is <dated> | is there (a | an) <one> [<days>] | when am i (meeting | seeing) <person>
  | what time does <ref> (begin | start | end) | when was <ref> | am i (meeting | seeing) <person> [<days>]
  | (what's | what is) the address of <ref> | who is coming to <ref> | who is coming to <ref> | who is coming;
<into> = (to | on | in | into) (my | the) (calendar | schedule);
<create> = (create | add | make | schedule | book | set up | plan | arrange | put) [a | an] [new] (<fresh> | event)
  [<into>] [for] [<when>] [for <duration>] [<into>] | i have (a | an) [new] <fresh> <when>
  | (create | add | schedule | book) [a | an] (<duration> | hour) <fresh> [<when>]
  | (schedule | add | plan | book | set up) [a | an] <fresh> <repeat> | new (event | <kind>) <when>
  | (put | add) (<phrase> | <fresh>) <into> for <when> | block <duration> <when> | i need (a | an) <fresh> <when>;
<update> = (move | reschedule | shift | push | change | postpone | delay) <ref> [from <when>] to <when_or_time>
  | (move | reschedule | shift | change | postpone) <dated> | (push | move | shift | delay | postpone) <ref> [back
  | forward] by <duration>
  | push <ref> back [to <when_or_time>] | make (it | that | <ref>) (longer | shorter | <duration> [long | longer
  | shorter])
  | (extend | shorten) <ref> by <duration> | make it [at] <when_or_time> [instead]
  | bring <ref> forward (to <when_or_time> | by <duration>) | (move | push | shift) <ref> <duration> (later
  | earlier | back) | move <ref> to <time> | move <ref> to <time>
  | <ref> should (start | begin) at <time> | (can we do | let's say) <when> [instead]
  | put (it | that | <ref>) on <date> [instead];
<when_or_time> = <when> | <time> [<date> | <daypart>] | <span> | an hour (later | earlier) | (later | earlier);
<cancel> = (cancel | delete | remove | drop | call off) <dated> | get rid of <dated> | call <ref> off
  | take <ref> off my calendar | i can't make it to <dated> | i'm not going to <dated>
  | cancel <dated> and tell (everybody | everyone | <known>) | cancel the whole series [of <things>];
<remind> = remind me to <task> [<when> | in <duration>] | remind me <when> to <task> | remind me (about
  | of) <ref> [<when>]
  | remind me in <duration> to <task> | remind me <duration> before <ref> | remind me (about
  | of) <ref> <duration> before
  | (set | create | add | make) a reminder [for <when> | to <task> | about <ref> | for <ref>] [<when>] [to <task>]
  | don't let me forget to <task> [<when>] | i need a reminder for <ref> [<duration> before] | remind me <when>;
<free> = am i (free | available | busy) (<when> | <span> | for <duration> <when> | on <date> [<daypart>])
  | (do i have | have i got) (time | any time) [free] (<when> | <span>) | (is | are) <when> free | when am i (free
  | available) [<days>]
  | do i have a free (slot | hour | moment) [<days> | <when>] | (can i | could i) (meet | fit in) [a
  | an] [<one>] <when>
  | what time am i (free | available) [<days>] | find me <duration> <when> | do i have <duration> [free] <when>
  | any free time <days>
  | (what's | what is) the first free slot [<days>] | when can i fit in (a | an) <fresh> [<days>];
<way> = when (do i have to | should i | do i need to) (leave | go) [for <thereto>]
  | how long does it take to get (to <thereto> | there) | how far is it to <thereto>
  | how long is the drive to <thereto> | (are there | show me) other routes [to <thereto>]
  | is there another way to get (to <thereto> | there) | (navigate | take me) (to <thereto> | there) | take me home
  | start navigation | (send | give | show) me directions to <thereto> | how do i get to <thereto>
  | what time do i (have | need) to leave [for <thereto>] | how soon do i have to leave [for <thereto>]
  | how far [away] is <thereto> | how long to get to <thereto> | how many minutes is it to <thereto>
  | (what's | what is) the travel time to <thereto> | travel time to <thereto> | how long is the drive
  | is there a faster way [to <thereto>] | find me (a different | another) route | show me other ways to get there;
<thereto> = (the | my) <one> | my next (meeting | appointment) | <phrase>;
<late> = am i (late | on time) [for <thereto>] | (will i | am i going to) be late [for <thereto>]
  | (i'm | i am) [running] [<duration>] late [for <thereto>] | (i'll | i will) be <duration> late [for <thereto>]
  | i'm here | i've arrived | i have arrived [at <thereto>] | i'm (there | at <thereto> [now]) | i made it
  | will i (make it to <thereto> [on time | in time] | get there (on time | in time)) | how late am i
  | can i still make [it to] <thereto>
  | i'm going to be [<duration>] late [for <thereto> | to <thereto>];
<tell> = tell (everyone | everybody | them) [that] <why> | let (everyone | everybody | them) know [that] <why>
  | tell <known> that <why> | let <known> know that <why> | tell <name> that <why>
  | tell the others [that] <why> | message <known> [that] <why>;
<why> = i'm running late | i'm late | i'll be <duration> late | i'm on my way;
<notes> = alerts | notifications | warnings;
<alerted> = it | it | that | that alert | this alert | the <unit> one | the alert (about | for) <ref>;
<alert> = do i have any <notes> | what are my <notes> | any new <notes> | (read | show | tell) me my <notes>
  | (show | list) [all] my <notes> | are there any <notes> | dismiss <alerted> | dismiss <alerted> | snooze <alerted>
  | snooze <alerted> | snooze <alerted> (for <duration> | until <time>) | snooze <alerted> for <duration>
  | (dismiss | clear) all [my] <notes> | (turn off | delete | get rid of) (that alert | the alert (about | for) <ref>);
<habit> = turn (on | off) quiet hours | (set quiet hours | don't disturb me) <range> | i work <range>
  | set my alerts to (minimal | balanced | aggressive | silent) | (fewer | more) alerts
  | set my time zone to (london | paris | berlin | tokyo | new york | los angeles | chicago | eastern time
  | pacific time) | set my buffer to <duration> | (leave | keep) <duration> between (my meetings | meetings)
  | i usually (take the train | drive | walk | take the bus) | (turn my alerts off | turn off my alerts)
  | make my alerts (minimal | balanced | aggressive | silent) | quiet hours <range> | stop [the] quiet hours
  | (change | set) my buffer [between meetings] to <duration> | keep <duration> [free] between my meetings
  | change my time zone to (london | paris | berlin | tokyo | new york | los angeles | eastern time)
  | i always (drive | walk | go by (car | train | bike));
<sum> = how does my (day | week) look | how busy am i (today | tomorrow | on <weekday> | this week | next week)
  | (give me | read me) a summary of (today | tomorrow | my day | my week | next week)
  | sum up (my day | my week | today | tomorrow)
  | how busy is my (day | week | <weekday>)
  | how's my (day | week | <weekday>) looking | (weekly summary | summary for (today | tomorrow | this week))
  | give me an overview of (my week | this week | next week | tomorrow);
<bulk> = cancel (everything | all my <things>) (today | tomorrow | on <weekday>) | cancel all of them
  | clear my calendar [for (today | tomorrow | <weekday>) [<daypart>]] | clear my (morning | afternoon | <weekday>)
  | free up my (morning | afternoon | <weekday>) | (cancel | drop) all [my | the] <things> [with <person>] <days>
  | delete everything <date>;
<series> = only this one | just this one | all of them | the whole series | this and the following [ones];
<desk> = reception | reception | the front desk | sales | support | technical support | customer service | billing
  | accounting | the office;
<body> = someone | somebody | a [real] person | a human | an operator | a representative;
<human> = (put me through | connect me | transfer me) to <desk> | put me through to <desk> | put me through to <body>
  | (put me through | transfer me | connect me to <body>) | (talk | speak) (to | with) (<body> | <desk>)
  | (can | could) i (talk | speak) to (<body> | <desk>) | let me (talk | speak) to (<body> | <desk>)
  | [the] operator | get me (a human | an operator) | a real person | <desk>;
<more> = <way> | <late> | <tell> | <alert> | <habit> | <sum> | <bulk>;
<talk> = hello | hi | hello there | good <daypart> | thank you [very much | so much]
  | thanks [a lot] | goodbye
  | bye [bye]
  | that's (all | it) | that is all | nothing else | that's all (thanks | thank you | for today | for now)
  | (repeat | say) that [again] | say it again | again | pardon | sorry | excuse me | what did you say | come again
  | (can | could) you (repeat that | say that again) | help | help me | what can you do | what can i (say | do | ask)
  | never mind | forget it | stop | wait | hold on | one moment | just a moment | see you | have a nice day;
<slot> = [and | no] (<date> | at <time> | <days> | the <unit> one | the last one | the one <when> | with <person>
  | <series> | <series>) | [the | my] <phrase> | [the | my] <phrase> | the <kind> [with <person>] [<when>];
<before> = please | can you [please] | could you [please] | i would like to | i'd like to | i want to | okay | and
  | so | hello;
<pin> = (change | set | set up | reset) my [new] pin [number] | (set up | set | choose) a [new] pin;
<order> = <create> | <update> | <cancel> | <remind>;
<wish> = [<before>] (<next> | <look> | <search> | <order> | <order> | <free> | <alert> | <way> | <more>
  | <human> | <pin>) [please]
  | <talk> | <talk> | (yes | yeah | no | okay) | <slot> [please];
"""

_ANSWERS = """
<yes> = yes | yeah | yep | sure | okay | of course | correct | right | that's right | that's correct | absolutely
  | exactly | certainly | definitely | please do | go ahead | do it | confirm | confirmed | i confirm | that's fine
  | sounds good | perfect | fine | yes (please | do it | go ahead | that's right | that's correct | of course | sure
  | confirm | i do | please do | cancel it | move it | please go ahead | do that | yes | that's fine | thank you)
  | okay (do it | go ahead | yes) | sure (go ahead | do it) | please (go ahead | do it | confirm) | yeah (sure
  | do it | go ahead);
<no> = no | nope | no thanks | no thank you | don't | please don't | don't do it | don't do that | no don't [do it
  | do that]
  | [no] leave it [as it is | alone] | [no] keep it | no wait | [no] not now | no stop | not yet | no please don't
  | no i changed my mind | i changed my mind | no that's wrong | that's wrong | wrong | no not that one
  | not that one | no no
  | absolutely not | definitely not | rather not | better not | of course not | no cancel that | no never mind
  | i don't want that | <denied> | <denied>;
<denied> = [that's | it's | no that's | no it's] not (right | correct | okay | fine | good)
  | that isn't (right | correct)
  | [please] (don't | do not) (do it | do that | confirm | confirm it | go ahead) | please do not | please don't
  | i (don't | do not | can't | cannot | didn't | won't) confirm [it | that]
  | i (haven't | have not) confirmed [it | that]
  | certainly not | not really | not exactly | not today | sure not | incorrect | never | no never
  | i (disagree | don't agree | didn't say yes | did not say yes | never said yes) | don't you (do it | do that | dare);
<amended> = (yes | yeah | okay | no | sure) [but | and | make it | rather] <when> | (yes | yeah | okay | no | sure) but
  (make it <time> | not (today | tomorrow | <date>) | the other one | the <unit> one | move it [to <when>])
  | (no | actually) [make it | rather | i mean | i meant] (<when_or_time> | the <unit> one | the other one)
  | yes no [wait]
  | yes wait | wait no | (no | actually) the <one> | (no | actually) <order>;
<doubt> = maybe | i don't know | i'm not sure | i am not sure | what | which one | which meeting | what was the question
  | let me think | perhaps | i think so | hmm | unsure | not sure | why | what do you mean | what happens then;
<reply> = <yes> | <no> | <amended> | <doubt> | <wish>;
"""

_NAMES = (  # noqa: SIM905 - read more easily
    "anna alice bob carol david peter paul mary john maria michael sarah tom thomas laura james robert daniel "
    "mark martin julia lisa kate emma ben sam max alex chris susan karen george frank eric andrew steve helen "
    "jane nina oliver simon victor sofia lucas adam"
).split()

DECOYS = (  # noqa: SIM905 - read more easily
    "best chess dress less mess rest nest west vest bless unless ten else cell fell ash gas pass has as us bus "
    "fuss its is his this these piece knees near now how cow grow blow throw toe sew rose nose those won't own "
    "bone phone stone show shoe chew true shore door floor more war poor pure bore sort short bright light night "
    "write might while keys tea see sea tree key they day say way play may hey her here there hair bear fair fish "
    "shop ship sheep sheet seat hit it's sit bit people money water music because really something other going "
    "after every always "
    "yet guess press yesterday yellow yarn yawn jess let left test ash east ears yeast yard you your year young the "
    "use used said says sad red bed head dead bread shed snow go slow low though row hoe hello nowhere "
    "notice note nor north nothing not knot none nice need neck next mow mole hole whole home loan code cold coat "
    "goat boat open over only old oh shut sugar jaw line wine sign fight tight rite "
).split()
"""Short common words that mean nothing here: the ear listens for them too, lest whatever sounds like a yes be one."""

_CORRECTED = "[no | i mean | i meant | no i said | i said | rather]"
_TO_QUESTIONS = {
    "which": f"""
<answer> = {_CORRECTED} (<pointed> | <pointed> | <called> | <dayed> | (both | all) [of them]) [please];
<pointed> = the (<unit> | last | next | other | <weekday> | <daypart>) one | the (first | second | third | last) one
  | the (first | second | third | last) one | the one (at <time> | with <person> | <date> | in the <daypart>)
  | the <clock> one | number (one | two | three | four);
<called> = [the | my] <phrase> [<date> | at <time>] | the one (about | for) <phrase> | [the] <kind> with <person>
  | with <person> | the <kind>;
<dayed> = <date> [at <time>] | at <time> | [the one] <date> | the <clock>;
""",
    "when": f"""
<answer> = {_CORRECTED} [make it] <timed> [please];
<timed> = <when> | at <time> | at <time> | <time> | <date> | <date> [at] <time> | <date> <daypart> | <date> <range>
  | <range> | <daypart> | (<duration> | an hour) (later | earlier) | in <duration> | until <time>;
""",
    "scope": f"""
<answer> = {_CORRECTED} <extent> [please];
<extent> = only this one | only this one | just this one | this one | only that one | just that one | only this
  | just once | only (today | tomorrow) | only the one (<date> | <date> at <time>) | only the first one
  | all of them | all of them | all | all the meetings | the whole series | the series | every one | all (please | yes)
  | this and the following [ones] | this and all (following | that follow) | this one and the following ones
  | <date> | the <unit> one;
""",
    "length": f"""
<answer> = {_CORRECTED} [for | make it] <long> [before | long] [please];
<long> = <duration> | <duration> | <duration> | <minutes> minutes | an hour | a quarter of an hour | one day | a day;
<minutes> = one | two | three | five | seven | ten | twelve | fifteen | twenty | twenty five | thirty | forty
  | forty five | fifty | sixty | ninety;
""",
}
_CHOSEN = """
<before> = please | i want | i want the | i would like | i'd like | i'd like the | i need | the | my | to the | number
  | i want to speak to | i would like to speak to | connect me to | it's about;
<said> = <choice> | <choice> | <choice> please | <before> <choice> [please];
"""
_INSTEAD = "<said> = <answer> | <answer> | <answer> | <wish>;\n"


def wishes(phrases: Iterable[str] = ()) -> str:
    """Write the grammar of everything that a caller may ask for."""
    return _TIMES + _THINGS + _own(phrases) + _WISHES


def replies(phrases: Iterable[str] = ()) -> str:
    """Write the grammar of answers to a question, or of a wish in their place."""
    return _TIMES + _THINGS + _own(phrases) + _WISHES + _ANSWERS


def answers(mood: str, phrases: Iterable[str] = ()) -> str:
    """Write the grammar of answers to the question of a ``mood``, or of a wish in their place, which is rarer."""
    return _TIMES + _THINGS + _own(phrases) + _WISHES + _TO_QUESTIONS[mood] + _INSTEAD


def choices(phrases: Iterable[str]) -> str:
    """Write the grammar of what may be said in a menu: one of ``phrases``, whole, and a few words around it."""
    titles = [spoken(phrase) for phrase in phrases][:PHRASES_MAX]
    return f"<choice> = {' | '.join(titles) or 'operator'};\n" + _CHOSEN


def _own(phrases: Iterable[str]) -> str:
    titles = [spoken(phrase) for phrase in phrases][:PHRASES_MAX]
    ways = sorted({way for title in titles for way in parts(title)})
    known = [name for name in _NAMES if name in ways] or _NAMES
    rules = {"name": _NAMES, "known": known, "phrase": ways or ["calendar"]}
    return "".join(f"<{rule}> = {' | '.join(words)};\n" for rule, words in rules.items())
