"""English yes and no.

What is *not* in a role is as deliberate as what is: see the remarks. Phrases are written as people say them;
``table`` spells them as callers' words are spelt.
"""

from phone_bridge.call.assent.grammar import Role
from phone_bridge.call.assent.table import table

_CONTRACTIONS = {
    "i'm": "i am",
    "i'd": "i would",
    "i'll": "i will",
    "i've": "i have",
    "you're": "you are",
    "you'd": "you would",
    "you've": "you have",
    "he's": "he is",
    "she's": "she is",
    "it's": "it is",
    "it'd": "it would",
    "it'll": "it will",
    "that's": "that is",
    "that'd": "that would",
    "that'll": "that will",
    "what's": "what is",
    "who's": "who is",
    "when's": "when is",
    "there's": "there is",
    "answer's": "answer is",
    "let's": "let us",
    "we're": "we are",
    "they're": "they are",
    "don't": "do not",
    "doesn't": "does not",
    "didn't": "did not",
    "won't": "will not",
    "can't": "can not",
    "couldn't": "could not",
    "wouldn't": "would not",
    "shouldn't": "should not",
    "isn't": "is not",
    "aren't": "are not",
    "wasn't": "was not",
    "haven't": "have not",
    "hasn't": "has not",
}
_NUMERALS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_WORDS_OF_THEIR_OWN = {"id", "ill", "were", "well", "wed", "shed"}  # "I'd" without its apostrophe is another word


_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}
_TEENS = ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_ORDINALS = ("third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth")
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def _numerals() -> dict[str, str]:
    """Spell numbers alike, as far as dates and times have them: small ones in words, others in digits.

    The ordinals "first" and "second" stay: they name an item of a list, and a moment of patience.
    """
    cardinals = {str(value): word for value, word in enumerate(_NUMERALS)}
    cardinals |= {word: str(value) for value, word in enumerate(_TEENS, 13)}
    cardinals |= {word: str(value) for word, value in _TENS.items()}
    ordinals = {word: f"{_NUMERALS[value]} th" for value, word in enumerate(_ORDINALS, 3)} | {"third": "three rd"}
    ordinals |= {f"{stem}teenth": f"{value} th" for value, stem in enumerate((word[:-4] for word in _TEENS), 13)}
    ordinals |= {f"{word[:-1]}ieth": f"{value} th" for word, value in _TENS.items()}
    for tens, value in _TENS.items():
        for unit, word in enumerate(_NUMERALS[1:10], 1):
            cardinals[f"{tens} {word}"] = str(value + unit)
        for unit, word in enumerate(("first", "second", *_ORDINALS[:7]), 1):
            ordinals[f"{tens} {word}"] = f"{value + unit} {_ENDINGS.get(unit, 'th')}"
    return cardinals | ordinals


def _spelling() -> dict[str, str]:
    """Write out contractions as recognisers print them: with the apostrophe, without it, and torn in two."""
    torn = {heard.replace("'", " "): meant for heard, meant in _CONTRACTIONS.items()}
    joined = {heard.replace("'", ""): meant for heard, meant in _CONTRACTIONS.items()}
    return (
        {heard: meant for heard, meant in joined.items() if heard not in _WORDS_OF_THEIR_OWN}
        | torn
        | _CONTRACTIONS
        | _numerals()
        | {
            "cannot": "can not",
            "gonna": "going to",
            "wanna": "want to",
            "gotta": "got to",
            "lemme": "let me",
            "gimme": "give me",
            "ok": "okay",
            "o k": "okay",
            "okey dokey": "okay",
            "all right": "alright",
            "never mind": "nevermind",
            "o'clock": "oclock",
            "o clock": "oclock",
            "uh huh": "uhhuh",
            "mm hmm": "mhm",
            "mm hm": "mhm",
            "mmhmm": "mhm",
            "p m": "pm",
            "a m": "am",
            "ma'am": "madam",
            "maam": "madam",
            "any more": "anymore",
            "authorize": "authorise",
            "canceled": "cancelled",
            "canceling": "cancelling",
            "on second thoughts": "on second thought",
        }
    )


_FILLER = "uh, uhm, um, umm, uhh, er, erm, err, ah, ahh, eh, hm, hmm, hmmm, mm, mmm, ahem"
_MURMUR = "uhhuh, mhm, mhmm"
_LEAD = "oh, ooh, right"
_TURN = "actually, well, on second thought, you know what, i mean, wow, god"
_COURTESY = """
please, thanks, thank you, thanks very much, thank you very much, thanks so much, thank you so much, many thanks,
thanks a lot, thanks a million, cheers, ta, and thank you, and thanks, sir, madam, mate
"""
_REGRET = "sorry, i am sorry, so sorry, i am afraid, afraid"

# Not here: "one" and "number one" (a time, an item of a list; the key is under the thumb), "right" (yeah, right),
# "aye" (I, eye), "accept" (except), "ya", "true", "why not", "no problem", "you got it".
_YES = """
yes, yeah, yep, yup, yea, yeh, yess, yeap, yeppers, yes indeed, hell yes, hell yeah, oh yes, oh yeah, yes sir,
yessir, sure, sure thing, for sure, of course, absolutely, definitely, certainly, totally, indeed, by all means,
very much so, you bet, affirmative, correct, exactly, precisely, exactly right, exactly that, spot on, quite right,
quite correct, too right, absolutely right, absolutely correct, a definite yes, definitely a yes, a clear yes,
yes to confirm
"""
# Not here: "you can" and "i do" (the echo of a question), "i understand" and "got it" (they only acknowledge),
# "that works for me" (so may the event, at its time), "I want that" (the event?).
_STATEMENT = """
that is right, that is correct, that is all correct, that is exactly right, that is quite right, that is affirmative,
that is absolutely right, that is absolutely correct, this is right, this is correct, it is correct, it is right,
everything is correct, everything is right, all correct, all is correct, it is all correct, confirm, confirmed,
confirm it, confirm that, confirm this, i confirm, i confirm it, i confirm that, i do confirm, i do confirm that,
i can confirm, i can confirm it, i can confirm that, i hereby confirm, you can confirm, you can confirm it,
you can confirm that, please do confirm, do confirm, go ahead and confirm, go ahead and confirm it, agreed, i agree,
i do agree, i agree with that, i agree to that, we agree, i approve, approved, i approve that, approve it, i accept,
accepted, i accept that, i consent, i consent to that, i authorise it, i authorise that, i give my consent,
i give you my consent, you have my consent, you have my permission, you have got my permission,
i give you permission, i give my permission, permission granted, the answer is yes, my answer is yes, it is a yes,
that is a yes, it is a yes from me, that is a yes from me, it is yes, i say yes, that would be a yes,
of course you can, sounds good, sounds great, sounds fine, sounds perfect, sounds right, sounds good to me,
sounds great to me, sounds fine to me, that sounds good, that sounds great, that sounds fine, that sounds perfect,
that sounds right, that sounds good to me, fine by me, fine with me, that is fine by me, that is fine with me,
okay by me, okay with me, that is okay with me, that is okay by me, good with me, that is good with me,
it is fine by me, it is fine with me, i am happy with that, i am fine with that, i am okay with that,
i am good with that, i am happy for you to do that, happy to go ahead, i am happy to go ahead, that is what i want,
that is exactly what i want, that is what i wanted, that is exactly what i wanted, this is what i want,
i want you to do that, i want you to do it, i would like you to do that, i would like you to do it,
i would appreciate that, i would be happy with that, just as you said, exactly as you said
"""

# ACT may stand after "do not" and is then refused; so nothing that is a statement belongs here.
_ACT = """
go ahead, go right ahead, go ahead then, go ahead now, go ahead with it, go ahead with that, go ahead with this,
go for it, do it, do that, do this, do so, do it now, do that now, do it then, do that then, do it right now,
do it right away, do please, do go ahead, proceed, proceed with it, proceed with that, do proceed, let us do it,
let us do that, let us do this, let us go ahead, let us go for it, let us proceed, make it so, make it happen,
please do, kindly go ahead, kindly do it
"""
_URGE = "you can, you may, just, feel free to, do"
_ONWARD = "go ahead and, go right ahead and, please go ahead and, just go ahead and"
_NOTED = "i understand, understood, i see, got it, i got it, i got that, i heard you, i hear you, noted"
_ECHOED = """
i would, i am, i am sure, i am quite sure, i am very sure, i am absolutely sure, i am certain, i am positive, it is,
it does, it will, we do, we would, you can, you may, feel free, you should, please you can, let us, i would like it,
i am ready, i am happy, i mean it, i mean that, i meant it, i meant that, really, quite, already, i want you to,
i would like you to, we want that, i want that, i do want that, i really want that, i would like that,
we would like that, i would love that, i am happy with it, i am fine with it, i am okay with it
"""
# Not here: "i am good" and "it is okay" without the yes are refusals; "i understand" and "got it" only acknowledge.
_SUPPORT = """
okay, alright, fine, good, very good, all good, very well, great, perfect, lovely, wonderful, excellent, brilliant,
super, cool, nice, awesome, fantastic, amazing, marvellous, splendid, beautiful, positive, perfectly, naturally,
go on then, right now, now please, okay then, alright then, that is fine, that is okay, that is alright,
that is good, that is great, that is perfect, that is lovely, that is perfectly fine, that is all fine,
that is quite alright, that is absolutely fine, perfectly fine, that is it, that is all, that is all good,
it is all good, that is very good, that is very kind, i do, that would be great, that would be lovely,
that would be fine, that would be good, that would be perfect, that would be wonderful, that will be fine,
that will be great, that will be all, it is fine, it is okay, it is alright, it is good, it is perfect,
would be great, would be lovely, very much, straight away, right away, immediately, at once, as discussed, as agreed,
as you said, as i said, like i said, a hundred percent, one hundred percent, i am sure, i am quite sure,
that is what i said, that is what i asked for, that is what i asked, that is how i want it, it is what i want,
that works, that works for me, works for me
"""

_NO = """
no, nope, nah, naw, know, no way, no chance, no dice, no deal, no can do, hell no, heck no, no thanks, no thank you,
thanks but no, thanks but no thanks, thank you but no, never, never ever, nevermind, nevermind then, negative,
negatory, not now, not today, not yet, not right now, not at the moment, not this time, not really, not that,
not that one, not this one, not anymore, not interested, no good, not good, not okay, not going to happen,
not correct, not right, not on your life, not a chance, fat chance, absolutely not, definitely not, certainly not,
of course not, obviously not, probably not, rather not, better not, hopefully not, i would better not, i think not,
i guess not, i hope not, i am afraid not, afraid not, please not, let us not, let us not do that, let us not do it,
do not, i do not, do not do that, do not you dare, do not bother, do not cancel, do not touch it,
do not change anything, do not change it, do not confirm, do not confirm it, do not confirm that, do not do anything,
do nothing, nothing, stop, stop it, stop that, stop this, stop right there, stop there, abort, abort it, abort that,
leave it, leave it alone, leave it be, leave it there, leave it in, leave it like that, leave it as it is,
leave it as is, leave it how it is, leave it the way it is, leave it for now, leave that, leave that alone,
leave that as it is, leave things, leave things as they are, leave everything, leave everything as it is,
just leave it, just leave it as it is, just leave it alone, just leave it be, just leave that, let us leave it,
let us leave it as it is, let us leave it for now, let it be, let it stay, let it stand, it stays, it stays as it is,
it should stay, it should stay as it is, that should stay as it is, that stays, keep it, keep it as it is,
keep it the way it is, keep it in, keep it there, keep that, keep things as they are, keep everything as it is,
i will keep it, i want to keep it, i would like to keep it, i need it, i still need it, i need that,
i still need that, forget it, forget that, forget about it, forget about that, just forget it, hold off,
hold off on that, hold off for now, scrap that, scrap it, drop it, skip it, undo, undo that, undo it, i do not want,
i do not want that, i do not want it, i do not want to, i do not want this, i do not want to do that,
i do not want to do it, i do not want you to, i do not want you to do that, i do not want you to do it,
i do not want anything, i do not think so, i do not agree, i do not confirm, i do not confirm that, i do not approve,
i do not consent, i do not accept, i do not like that, i do not like it, i disagree, i disagree with that,
i will not, i would not, i would rather not, i would prefer not to, i prefer not to, i can not, i can not do that,
i refuse, i decline, i object, i am against it, i am not, i did not, i changed my mind, i have changed my mind,
i did not ask for that, i did not ask for this, i did not want that, i did not say that, i did not mean that,
i did not mean it, i did not mean that one, i never asked for that, i never said that, i never wanted that,
that is wrong, this is wrong, it is wrong, that is incorrect, that is not right, that is not correct, that is not it,
that is not true, it is not right, it is not correct, it is not, that is not what i want, that is not what i wanted,
that is not what i said, that is not what i asked for, that is not what i meant, that is the wrong one,
it is the wrong one, that is a mistake, that was a mistake, it is a mistake, that is not a good idea,
it is not a good idea, bad idea, wrong, wrong one, wrong event, wrong appointment, wrong day, wrong meeting,
incorrect, that is a no, it is a no, that is a no from me, it is a no from me, the answer is no, my answer is no,
it is no, i say no, i said no, i told you no, i am saying no, decline, declined, decline it, reject, reject it,
reject that, rejected, refuse, refused, i am not happy with that, i am not okay with that, i am not fine with that,
under no circumstances, in no way, i will do it myself, i would rather do it myself, let me do it myself,
i was just asking, i was only asking, no i am good, no i am fine, no i am okay, nah i am good, nah i am fine,
nope i am good, you may not, you can not, two, press two, number two, option two, two please, i press two,
i pressed two, key two
"""
_NOT = """
do not, i do not want you to, i would not, i will not, you can not, you may not, you should not, i do not want to,
never, not, better not, you must not, i would rather you did not, i would rather not
"""

_AGAIN = """
what, what what, wait what, what was that, what is that, what did you say, what did you just say, what do you mean,
what are you going to do, what are you doing, what are you cancelling, what are you about to do, what is it,
what is the question, what was the question, what again, sorry, sorry what, pardon, pardon me, i beg your pardon,
beg your pardon, beg pardon, excuse me, come again, say again, say that again, say it again, say that one more time,
say it one more time, say it once more, say that once more, repeat, repeat it, repeat that, repeat this,
repeat the question, repeat that again, repeat it again, again, once again, once more, one more time, can you repeat,
can you repeat it, can you repeat that, can you repeat the question, can you please repeat that,
can you please repeat, can you please repeat it, can you say that again, can you say it again,
can you please say that again, can you say it one more time, can you say that one more time, can you read that again,
can you read it again, could you repeat, could you repeat it, could you repeat that, could you repeat the question,
could you please repeat, could you please repeat that, could you please repeat it, could you say that again,
could you say it again, could you please say that again, could you say it once more, could you say that once more,
would you repeat that, would you repeat it, would you say that again, would you please repeat that,
would you mind repeating that, would you mind saying that again, which, which one, which event, which appointment,
which meeting, which one is that, which one was that, huh, i did not hear, i did not hear you, i did not hear that,
i did not hear it, i did not catch that, i did not catch it, i did not get that, i did not get it,
i did not understand, i did not understand that, i do not understand, i could not hear you, i could not hear that,
i could not hear, i can not hear you, i can not hear, i missed that, i missed it, tell me again, read it again,
read that again, read it to me again, read it back, i want to hear it again, i would like to hear it again,
let me hear it again, let me hear that again, hear it again, star, press star, the star key, hello, are you there,
are you still there, anybody there, what time, what time is that, what time was that, when, when is that,
when was that, when is it, who, who is that, where, where is that
"""

# Idioms and hedges that no machine should decide; any of them takes a consent back.
_DOUBT = """
no problem, no problem at all, not a problem, no worries, no worry, no objection, no objections, no doubt,
no question, no question about it, no need, no need to ask, no idea, no clue, no kidding, no one, nobody, not at all,
not no, not yes, not sure, i am not sure, i am not so sure, not so sure, i am not entirely sure, not exactly,
not quite, not entirely, not necessarily, not only, not until, not you, never say never, never said, do not mind,
i do not mind, do not care, i do not care, do not worry, do not stop, please do not stop, do not wait,
please do not wait, do not know, i do not know, dunno, i dunno, do not say no, do not say yes, do not you,
do not see why not, i do not see why not, can not see why not, can not complain, i can not complain, can not wait,
can not hurt, could not hurt, would not say no, i would not say no, i will not say no, i can not say no,
would not hurt, why, why not, as if, whatever, if, unless, except, although, though, however, uhhuh sure, right sure,
sure that, sure it, sure this, sure you, sure i, sure we, sure they, sure everything, sure all, that confirmed,
it confirmed, that approved, it approved, but, or, because, until, when, once, before, after, maybe, perhaps,
possibly, probably, might, could be, i think so, i think yes, i believe so, i guess, i guess so, i suppose,
i suppose so, i hope so, i would say so, i would say, i would think so, it depends, that depends, depends, sort of,
kind of, wait, hold on, hang on, one moment, one second, one minute, one sec, just a second, just a minute,
just a moment, just a sec, a moment, a second, a minute, let me think, let me check, let me see, let me look,
let me ask, i need to think, i have to think, i need to check, i need to ask, i have to ask, i was going to,
i was about to, i wanted to, i am here, i am listening, i am still here, i can hear you, i am not sure yes, unsure,
undecided, are you sure, is that right, is that correct, is it right, is it correct, is it yes, is that yes,
is this right, am i sure, have not decided, i have not decided, i have not said, i have not confirmed, keep going,
keep talking, one or two, two or one, press one, number one, option one, i am not saying no, not saying no, not a no,
not a yes, you must be joking, you are joking, you are kidding, are you kidding, are you kidding me, come on,
oh come on
"""

_WISH = """
make it, make that, move, move it, move that, reschedule it, book it, book that, add it, add that, schedule it,
put it in, shift, push, bring it, postpone, reschedule, change, rename, book, schedule, add, invite, call it,
remind me, reminder, tell, tell them, send, put, set it, set a, find, check my, check whether, instead, rather have,
rather do, rather move, rather, better, earlier, later, sooner, longer, shorter, different, another, also, as well,
both, everything, everyone, everybody, all of them, all of these, only the, only on, only if it, only in, just the,
the other, other one, other, the first, the second, the third, the last, the next, the one on, the one with,
the one in, the one at, the one after, the one before, the whole, the rest, first one, second one, i want it,
i want the, i want to, i want at, i wanted, i would like it, i would like to, i would prefer, i prefer,
i would rather have, i would rather move, i would rather do, i meant, i meant the, i need it at, i need it on,
i need to move, i need a different, i need to change, i need to book, what about, how about, can you move,
can you make, can you change, can you add, can you cancel, can you book, can you find, can you check, can you tell,
can you send, can you do, can you put, can you set, could you move, could you make, could you change, could you do,
could you book, could you cancel, could you add, could you put, could you send, would you move, would you change,
would it be possible, let us say, let us try, let us make, let us move, what else, what do i have, what is on,
what is my, when is my, do i have, am i free, is there anything, who else, how long, monday, tuesday, wednesday,
thursday, friday, saturday, sunday, mondays, tuesdays, wednesdays, thursdays, fridays, weekend, january, february,
march, april, june, july, august, september, october, november, december, today, tonight, tomorrow, next week,
next month, next year, this week, this afternoon, this morning, this evening, week, month, afternoon, morning,
evening, noon, midnight, lunch time, lunchtime, oclock, pm, half past, quarter past, quarter to, half an hour,
an hour, one hour, two hours, hour, hours, minutes, fifteen, twenty, thirty, forty five, one thirty, two thirty,
one fifteen, two fifteen
"""
_TIMES = ", ".join(
    f"{where} {key}"
    for where in ("at", "to", "for", "until", "from", "by", "around", "about")
    for key in ("one", "two")
)
_DIGITS = ", ".join(str(value) for value in range(13, 61))
_NUMBER = """
three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fourteen, fifteen, sixteen, seventeen,
eighteen, nineteen, twenty, thirty, forty, fifty
"""

_STEM = "cancel, delete, remove, create, check, use, take, try, with, let, call"

ENGLISH = table(
    spelling=_spelling(),
    sounds={"to": "two", "too": "two", "won": "one", "know": "no", "here": "hear"},
    roles={
        Role.FILLER: _FILLER,
        Role.MURMUR: _MURMUR,
        Role.LEAD: _LEAD,
        Role.TURN: _TURN,
        Role.COURTESY: _COURTESY,
        Role.REGRET: _REGRET,
        Role.YES: _YES,
        Role.STATEMENT: _STATEMENT,
        Role.ACT: _ACT,
        Role.URGE: _URGE,
        Role.ONWARD: _ONWARD,
        Role.NOTED: _NOTED,
        Role.ECHOED: _ECHOED,
        Role.SUPPORT: _SUPPORT,
        Role.NO: _NO,
        Role.NOT: _NOT,
        Role.AGAIN: _AGAIN,
        Role.DOUBT: _DOUBT,
        Role.WISH: f"{_WISH}, {_TIMES}",
        Role.NUMBER: f"{_NUMBER}, {_DIGITS}",
        Role.STEM: _STEM,
    },
    intro="i am about to",
    asked={
        "cancel": "cancel",
        "cancel all": "",
        "create": "create",
        "move": "move",
        "send": "send",
    },
    deeds={
        "cancel": """
            cancel it, cancel that, cancel this, delete it, delete that, remove it, remove that, i want it cancelled,
            i want to cancel it, i want you to cancel it, i would like to cancel it, cancel the appointment,
            cancel the event
        """,
        "create": "create it, create that, book it, book that, add it, add that, schedule it, put it in",
        "move": "move it, move that, reschedule it",
        "send": "send it, send that, tell them, notify them",
    },
)
