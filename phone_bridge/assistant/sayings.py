"""What people say to a calendar besides its plain events: journeys, lateness, alerts, messages, habits, summaries.

A table, in the language of ``phrasing``; the first phrasing that fits counts, so narrow ones stand before wide ones.
"""

from typing import Any

from phone_bridge.assistant.masking import Turn
from phone_bridge.assistant.phrasing import Phrasing, phrasing
from phone_bridge.assistant.slots import SLOTS
from phone_bridge.assistant.wishes import Wish

NAMES = {
    "am": "(am i|will i be|am i going to be|am i gonna be|would i be)",
    "im": "(i'm|i am)",
    "ill": "(i'm|i am|i'll|i will|i'll be|i will be|i'm going to be|i am going to be|i'm running|i am running"
    "|i'm going to|i might be|i'm gonna be|we're|we are|we'll be|we're running)",
    "have": "(do i have|have i got|are there|is there|did i get|i have)",
    "show": "(show|show me|read|read me|read out|list|tell|tell me|give|give me|tell me about|what are|what's|what is"
    "|what was|what were|check)",
    "leave": "(leave|go|depart|set off|set out|head out|head off|get going|get moving|start driving|be on the road"
    "|be on my way|be off|get started|start|leave the house|leave home|leave the office|leave here|start out)",
    "alerts": "(alert|alerts|notification|notifications|warning|warnings)",
    "all": "(everyone|everybody|them|all|all of them|the others|the other people|the people|the attendees|attendees"
    "|the participants|the guests|people|the whole group|the group|all attendees|all participants|the rest)",
    "tell": "(tell|inform|notify|text|message|email|write|write to|warn|send word to|send a message to"
    "|send a note to|send an email to|send a text to|ping)",
    "of": "(in|at|of|from|for|on|to)",
    "default": "(default|usual|standard|normal|preferred)",
    "set": "(set|change|switch|update|make|put|turn)",
    "quiet": "(quiet hours|do not disturb|quiet time|the do not disturb|silent hours)",
    "off": "(turn off|disable|stop|end|remove|cancel|deactivate|switch off|delete|lift|drop|no more|no)",
    "on": "(turn on|enable|activate|set|start|switch on|set up|change|make|use|schedule)",
    "dismiss": "(dismiss|clear|delete|remove|close|ignore|get rid of|drop|acknowledge|hide|discard|turn off|forget"
    "|throw away|mark as read)",
    "usually": "(usually|always|normally|mostly|generally|prefer to|like to|often)",
    "routes": "(route|routes|way|ways|road|roads|path|option|options)",
    "other": "(other|another|alternative|alternate|different|faster|quicker|better|shorter|second|more)",
    "day": "(day|schedule|calendar|agenda)",
    "mine": "(my|the|our)",
    "sum": "(sum up|summarize|summarise|brief me on|brief me about|recap|give me the short version of"
    "|give me a quick run down of|give me a rundown of)",
    "summary": "(summary|overview|recap|short version|briefing|quick overview|short summary|brief summary|rundown)",
    "busy": "(busy|full|packed|crowded|bad|heavy|light|quiet)",
    "busiest": "(busiest|quietest|fullest|emptiest|lightest|heaviest)",
    "thing": "(meeting|meetings|appointment|appointments|event|events|call|calls|one|ones|thing|things)",
    "plural": "(meetings|appointments|events|calls|things|plans|everything)",
    "cancel": "(cancel|delete|remove|drop|call off|get rid of|scrap|scratch|clear|wipe|clear out|free up|kill)",
    "also": "(and|and please|and also)",
    "week": "(week|working week|work week)",
}

_LATE: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    (
        "notify_attendees",
        {},
        (
            "(let) $all [$of <event>] know [that] <calledoff> (is|has been|was|will be) "
            "(cancelled|canceled|called off)",
            "$tell $all [that] <calledoff> (is|has been|was|will be) (cancelled|canceled|called off)",
            "let $all $of <event> know [that] <message>",
            "let $all know [that] <message>",
            "$tell $all $of <event> that <message>",
            "$tell $all $of <event> <words>",
            "$tell $all that <message>",
            "$tell $all <words>",
            "(inform|notify|message|email|text|write to|write|contact|warn) $all [(about|in|at|of|from|for) <event>]",
            "$tell <person> that <message>",
            "let <person> know [that] <message>",
            "(tell|text|message|email|inform|write|write to) <person> <words>",
            "send [out] [a] (message|note|email|text) to [$all] [$of] <event> that <message>",
            "(inform|notify|message|email) <person>",
            "send [out] [a] (message|note|email|text|update) to $all [$of <event>]",
            "let $all $of <event> know",
        ),
    ),
    (
        "check_if_late",
        {},
        (
            "[check] [if] $am [running|going to be] late [(for|to) <event>] [<at>]",
            "(will i|do i|can i|could i) [still] (make it|get there|be on time|arrive|be there|be|get) "
            "(on time|in time) [(for|to) <event>]",
            "(will i|do i|can i|could i) [still] (make it to|get to|reach|make|catch|arrive at) <event> "
            "[on time|in time]",
            "(will i|do i|can i|could i) [still] make it",
            "$am [still] (on time|in time|okay|on track|good|all right) [(for|with) <event>]",
            "am i still (okay|fine|good) for <event>",
            "how late (am i|will i be|am i going to be) [(for|to) <event>]",
            "check (if|whether) $ill [going to be|running|be] (late|on time) [(for|to) <event>]",
            "(if|whether) $ill [going to be|running|be] (late|on time) [(for|to) <event>]",
            "is there (enough|still) time to get to <event>",
        ),
    ),
]

_TOLD = "(tell|let|inform|notify|warn|message) (everybody|everyone|them|the others|people|the attendees|all)"

_SAYINGS: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    *_LATE,
    (
        "acknowledge_late",
        {"notify": True},
        (
            f"[sorry] $ill [<late>] late [(for|to) <event>] [and] {_TOLD} [know]",
            f"[sorry] $ill late [by <late>] [(for|to) <event>] [and] {_TOLD} [know]",
        ),
    ),
    (
        "acknowledge_late",
        {},
        (
            "[sorry|yes|i know|yes i know|i know that|yes i know that|sorry but] $ill [about|around] [<late>] late "
            "[(for|to) <event>]",
            "[sorry|yes|i know|yes i know] $ill late [by <late>]",
            "[sorry] $ill [<late>] (behind|behind schedule|delayed)",
            "[sorry] $ill (behind|behind schedule|delayed) <late>",
            "i (won't|will not|can't|cannot|don't) (make it to|get to|reach|be at|make) <event> (on time|in time)",
            "i (won't|will not|can't) (make it|be|get there|be there) (on time|in time) [for <event>]",
            "[yes] i know [that] (it|i'm late)",
        ),
    ),
    (
        "update_preferences",
        {"choice": "timezone"},
        (
            "$set my (time zone|timezone) to <zone>",
            "$im [now] in <zone> [now] [so] $set my (time zone|timezone)",
            "my (time zone|timezone) [is|should be] [now] <zone>",
        ),
    ),
    (
        "report_arrival",
        {},
        (
            "$im [already|just|now|finally] (here|there|arrived|in place)",
            "$im [already|just|now|finally] (at|in) <event>",
            "i (have|just|have just) (arrived|made it|got here|got there) [(at|to|in) <event>]",
            "(i've|i) [just|finally] (arrived|made it|got here|got there) [(at|to|in) <event>] [<ago> ago]",
            "(i've|i|i have) [just|finally] (reached|got to|come to|arrived at) <event>",
            "(mark|report|check) me [as] (arrived|here|in|there|present) [(at|for|to) <event>]",
            "(report|register) my arrival [(at|for) <event>]",
            "(tell|let) $all [know] (i've arrived|i have arrived|i'm here|i'm there|i arrived)",
            "check in at <event>",
        ),
    ),
    (
        "set_alert_profile",
        {"choice": "silent"},
        (
            "(turn off|switch off|silence|mute|stop) (all|my|the) [my|the] (alerts|notifications|warnings) "
            "[for <event>]",
            "turn (all|my|the) (alerts|notifications) off [for <event>]",
            "(don't|do not) (alert|notify|warn) me (about|for) <event>",
        ),
    ),
    (
        "set_alert_profile",
        {"choice": "minimal"},
        (
            "only (tell|warn|alert|notify|bother) me (about|of|when|if|with|for) [what|it|things|what's|it's|alerts] "
            "[is|are|that are|that's] [really|very] (important|urgent|critical|necessary)",
            "only (important|urgent|critical) (alerts|notifications|warnings)",
            "only (what is|what's) (important|urgent)",
            "only tell me (what is|what's) [really] (important|urgent)",
        ),
    ),
    (
        "set_alert_profile",
        {"choice": "aggressive"},
        ("(warn|tell|alert|notify) me (about|of) (everything|all of it)",),
    ),
    (
        "set_alert_profile",
        {},
        (
            "$set [my|the] (alerts|alert profile|notifications|alert level|warnings|alert mode|notification level) "
            "[for <event>] to <profile>",
            "(make|keep|turn|have) [my|the] (alerts|notifications) [for <event>] <profile>",
            "(use|give me|choose|switch to|go to|put me on|select|take) [the|a|an] <profile> "
            "(alerts|alert profile|profile|notifications|alert mode|mode) [for <event>]",
            "(my|the) alert profile [to|is|should be] <profile>",
            "alert profile <profile>",
            "[i want|i only want|i need|i only need] [give me] <profile> (alerts|notifications|warnings) "
            "[(for|about) <event>]",
        ),
    ),
    (
        "snooze_alert",
        {},
        (
            "snooze [<alert>] [for] <length>",
            "snooze <nth> [for] <length>",
            "snooze [<alert>] <span>",
            "snooze <nth> <span>",
            "snooze [<alert>]",
            "snooze <nth>",
            "(remind me of|remind me about|tell me about|warn me about|bring back|show me|repeat) <alert> "
            "[again] [<time>]",
            "[not now] (tell|warn|remind|alert|notify|bother|ask) me (again|later) [<time>]",
            "not now [<time>]",
            "(again|later) <time>",
            "give <alert> [another|a further] <length>",
            "(put off|postpone|delay) <alert> [by|for] <length>",
            "(put off|postpone|delay) <alert> <span>",
        ),
    ),
    (
        "get_alerts",
        {"choice": "snoozed"},
        (
            "(what|which) $alerts (did i snooze|are snoozed|have i snoozed)",
            "[$show] [my|the|all] snoozed $alerts",
        ),
    ),
    (
        "get_alerts",
        {},
        (
            "[$have|$show|what] [all] [any|my|the|that|some] [other|new|open|active|current|last|latest|unread] "
            "$alerts "
            "[are there|do i have|have i got|is there] [(for|about|on|from) <event>] [<time>]",
            "(what|which) $alerts (are there|do i have|have i got) [(for|about|on) <event>] [<time>]",
            "$have anything (i should|i need to|i must|i have to) (know|know about|be aware of|worry about)",
            "$have (any|a) (problem|problems|issues|issue|trouble) [with|in|on|for] [my|the] "
            "[calendar|schedule|day|<event>]",
            "[is] (anything|something) wrong [with|in] [my|the] [calendar|schedule|day|<event>]",
        ),
    ),
    (
        "dismiss_alert",
        {},
        (
            "$dismiss <alert>",
            "(dismiss|ignore|discard) <nth>",
            "(i've|i have|i) (seen|saw|read|heard|noticed|got|know about|know) <alert>",
            "(turn|switch) <alert> off",
            "(that's|that is) enough (of|with) <alert>",
        ),
    ),
    (
        "get_departure_info",
        {"aspect": "latest"},
        (
            "[what's|what is|when is] [the] (latest|last|last moment|latest time) (i can|i could|time to|moment to"
            "|time i can|to|i have to|that i can) $leave [<at>] [(for|to) <event>]",
        ),
    ),
    (
        "get_departure_info",
        {},
        (
            "[and] (when|what time|at what time|how soon|by when) (do|should|must|would|can|shall|will) (i|we) "
            "[have to|need to|better|got to] $leave [(for|to) <event>]",
            "[and] (when|what time|at what time|how soon|by when) (do|should|must|would|can|shall|will) (i|we) "
            "[have to|need to|better|got to] $leave <at> [(for|to) <event>]",
            "(when|how soon) (have|must|should) i [got] [to] $leave [(for|to) <event>]",
            "(when|what time) to $leave [(for|to) <event>]",
            "(do i have to|must i|should i|do i need to) $leave [now|soon|already|yet] [(for|to) <event>]",
            "is it time to $leave [(for|to) <event>]",
            "$show [the|my] departure [time|info|information] [(for|to) <event>]",
            "[the|my] departure (time|info|information) [(for|to) <event>]",
            "(when is|when's) [the|my] departure [(for|to) <event>]",
        ),
    ),
    (
        "get_alternate_routes",
        {},
        (
            "(compare|what's faster|what is faster|what's quicker|which is faster) <modes> to [get to] <event>",
            "(what about|how about|what if i|can i|could i|shall i|should i) [go|get|travel|get there|go there] "
            "<mode> [to <event>]",
            "(can i|could i|shall i|should i|what if i) (go|get|travel) to <event> <mode>",
            "[$have|$show|what about|find|find me|suggest|i want|i need] [a|an|any|some|the|my] $other $routes "
            "(to <event>|to get to <event>|to get there|there|to get <event>)",
            "[$have|$show|what about|find|find me|suggest|i want|i need] [a|an|any|some|the|my] $other $routes",
            "(what|which) [$other] $routes (are there|do i have|have i got) [to get|to go] (to <event>|<there>)",
            "(what|which) [$other] $routes (are there|do i have|have i got) [to get|to go] <there>",
            "[$show] [what are] [my|the] (options|routes|ways) [to get|to go] to <event>",
            "[give me|show me|find me|find] (two|three|four|five) [other|different] $routes to <event>",
            "how else can i (get|go|travel) (to <event>|<there>)",
        ),
    ),
    (
        "get_travel_time",
        {},
        (
            "how (long|many minutes|much time) (does it take|will it take|do i need|would it take|is it) [me|us] [to] "
            "[<go>] [to] <home> [<mode>]",
            "how far [away] is [it] [to] <home>",
            "how (long|many minutes|much time) (does it take|will it take|do i need|would it take|is it|will i need"
            "|do we need|am i going to need) [me|us] [to] [from <origin>] <go> <there> [<mode>]",
            "how (long|many minutes|much time) (does it take|will it take|do i need|would it take|is it|will i need"
            "|do we need|am i going to need) [me|us] [to] [<go>] from <origin> to <event> [<mode>]",
            "how (long|many minutes|much time) (does it take|will it take|do i need|would it take|is it|will i need"
            "|do we need|am i going to need) [me|us] [to] [<go>] to <event> [<mode>]",
            "how (long|many minutes|much time) [from <origin>] to [<go>] [to] <event> [<mode>]",
            "how (long|many minutes|far) [is it] from <origin> to <event> [<mode>]",
            "how far [away] (is it|is) [from here] [to] <event> [<mode>]",
            "how long is the <trip> (to|over to) <event>",
            "how long is the <trip>",
            "how long (does|will|would) the <mode> take [me] to [get to] <event>",
            "[$show] [the|my] <travelling> time [(to|for|from here to) <event>]",
            "(how's|how is|what's|what is) [the] traffic [like] (to|on the way to|for|going to) <event>",
            "(how's|how is|what's|what is) [the] traffic [like]",
        ),
    ),
    (
        "start_navigation",
        {},
        (
            "(navigate|take me|guide me|drive me|bring me|lead me|get me|show me the way) [to] <home>",
            "how do i <go> [to] <home>",
            "(navigate|take me|guide me|drive me|bring me|lead me|get me|direct me|route me|navigate me) to <event> "
            "(with|using|in|on|by) <app>",
            "(navigate|take me|guide me|drive me|bring me|lead me|get me|direct me|route me|navigate me) to <event>",
            "(navigate|take me|guide me|drive me|bring me|lead me|get me) <there>",
            "start [the] [<travelling>] (navigation|navigating|directions|route guidance) [(to|for) <event>]",
            "(send|text|give|get|show|message|find) me [the] [<travelling>] "
            "(directions|way|route|map|link|directions there) "
            "[(to|for) <event>]",
            "(send|text|give|get|show|message) me [the] [<travelling>] (directions|way|route|map) <there>",
            "[<travelling>] directions to <event>",
            "how do i <go> to <event>",
            "how do i <go> <there>",
            "(open|show) [me] [the] (map|maps|navigation) [(to|for|at|of) <event>]",
            "navigate",
            "[start] navigation [to <event>]",
        ),
    ),
    (
        "update_preferences",
        {"choice": "working_hours"},
        (
            "i work <hours>",
            "$set [my] (working|office|work|business) (hours|time|day) (to|from|for) <hours>",
            "[my] (working|office|work|business) (hours|day) (are|is|start|run|go) [now] <hours>",
        ),
    ),
    (
        "update_preferences",
        {"choice": "event_minutes"},
        (
            "(make|keep|schedule) [all] my (meetings|events|appointments) <length> [long] by default",
            "$set [the|my] $default [meeting|event|appointment] (length|duration|meeting length) to <length>",
            "[my] (meetings|events|appointments) (take|are|last|should be|should take|should last) [usually|normally] "
            "<length> [long] [by default|usually]",
            "[the] default (meeting|event|appointment) is <length> [long]",
        ),
    ),
    (
        "update_preferences",
        {"choice": "travel_mode"},
        (
            "i $usually (take|go|travel|get around|use|go there) <mode>",
            "i $usually <mode>",
            "$set my [$default] (travel mode|transport|way of travelling|mode of transport|mode of "
            "travel|travel) to <mode>",
            "i prefer [to] [go|take|travel] <mode>",
        ),
    ),
    (
        "update_preferences",
        {"choice": "time_of_day"},
        (
            "i (prefer|like|want) [to have] [my] (meetings|appointments|events|calls) <time>",
            "my $default time [for meetings] is <time>",
            "i prefer <time> [for] [my] [meetings|appointments]",
        ),
    ),
    (
        "update_preferences",
        {"choice": "home"},
        (
            "$set my home [address|location] to <place>",
            "my [new] (home|home address|house) is [now] [at] <place>",
            "i live [at|in] <place>",
        ),
    ),
    (
        "update_preferences",
        {"choice": "work"},
        (
            "$set my (work|office) [address|location] to <place>",
            "my [new] (work|office|work address|office address) is [now] [at] <place>",
        ),
    ),
    (
        "set_quiet_hours",
        {"enabled": False},
        ("$off [my|the] $quiet", "(turn|switch) [my|the] $quiet off", "(you can|you may) disturb me [again]"),
    ),
    (
        "set_quiet_hours",
        {"enabled": True},
        (
            "(don't|do not|never|please don't) (disturb|call|bother|ring|wake|phone) me <hours>",
            "$on [my|the] $quiet [to] [from] <hours>",
            "$on [my|the] $quiet",
            "(turn|switch) [my|the] $quiet on",
            "$quiet [are|is] <hours>",
            "no (calls|alerts|notifications|disturbance|interruptions|noise|messages) <hours>",
            "(leave me alone|keep quiet|be quiet|stay quiet|no noise|let me sleep|let me rest) <hours>",
            "i (don't|do not) want to be (disturbed|bothered|called) <hours>",
            "(disturb|call) me (not|never) <hours>",
        ),
    ),
    (
        "set_global_buffer",
        {"length": 0},
        (
            "(no|remove|turn off|delete|drop|cancel|i don't need a|i don't want a) [the|my] buffer",
            "no <buffer> buffer",
        ),
    ),
    (
        "set_global_buffer",
        {},
        (
            "$set [my|the] [global] buffer <buffer> to <length>",
            "$set [my|the] [global] buffer to <length>",
            "$set [a] [global] buffer of <length> [<buffer>]",
            "(leave|add|keep|plan|give|allow|put|reserve|include|always leave|always keep|always plan|always give"
            "|always add) [me] [always] <length> [free|extra|more|time|of time] <buffer>",
            "i (want to|need to|like to|would like to) be <length> <buffer>",
            "get me [there|everywhere] <length> <buffer>",
            "i (need|want) [always] <length> [free|extra|more|time] <buffer>",
            "[a] <length> buffer [<buffer>]",
        ),
    ),
    (
        "get_weekly_summary",
        {},
        (
            "(how does|how is|how's|what does|how will) $mine $week (look|looking|look like|going|be) [like]",
            "(how does|how is|how's|what does|how will) <week> (look|looking|look like|going) [like]",
            "[give me|read me|tell me|i want] [a|an|the|my] [weekly] $summary [of|for] [$mine] (week|<week>)",
            "[give me|read me|tell me] [a|the|my] weekly (summary|overview|report|briefing)",
            "$sum ($mine $week|<week>)",
            "how $busy (is $mine $week|am i <week>|is <week>)",
            "(what's|what is|which is|which day is) [my|the] $busiest [day] [of|in] [this week|the week|my "
            "week|<week>]",
            "how many $thing (do i have|are there|have i got) <week>",
            "week in review",
        ),
    ),
    (
        "get_day_summary",
        {},
        (
            "[give me|read me|tell me|i want] [a|an|the|my] $summary [of|for] [$mine] ($day|<day>)",
            "$sum [$mine] ($day|<day>)",
            "(how does|how is|how's|how will) $mine $day (look|looking|look like|going|be) [like] [<day>]",
            "(how does|how is|how's|how will) [my] <day> (look|looking|look like|going|be) [like]",
            "(how is|how's) [my] <day>",
            "[briefly|in short|quickly] (what's|what is) $mine $day like [<day>]",
            "briefly [tell me] (what's|what is|what do i have) [on] [<day>]",
            "how $busy (am i|is $mine $day|will i be|is my) [<day>]",
            "(is|am i|will) <day> [be] [a] $busy [day]",
            "(do i|have i) [have|got] (a lot|much|many things) [on|to do|going on|planned] <day>",
            "how many hours [of] [meetings|appointments] (do i have|have i got|are there) <day>",
            "how many hours am i [in meetings|busy] <day>",
        ),
    ),
    (
        "cancel_event",
        {"scope": "all"},
        (
            "$cancel [all] [of] [the] (whole|entire|complete) series [of <event>]",
            "$cancel (the whole|the entire) <event> series",
            "$cancel all (occurrences|instances|repeats) of <event>",
        ),
    ),
    (
        "bulk_cancel_events",
        {},
        (
            "$cancel <bulk> [<told>]",
            "$cancel [my|the|out] <window> [$day] [<told>]",
            "$cancel $mine $day [for|on] [<window>] [<told>]",
            "(i'm|i am) (sick|ill|not well|not coming) [so] [please] (cancel|call off) <bulk>",
        ),
    ),
    (
        "cancel_event",
        {"notify": True},
        (f"$cancel <event> and {_TOLD} [about it]", "$cancel <event> and (tell|inform|let|notify) <who>"),
    ),
    (
        "cancel_event",
        {},
        (
            "$cancel <event> (because|since|as) <reason>",
            "i (can't|cannot|won't be able to|am not able to|will not|won't) (make it to|make|come to|go "
            "to|attend|do) "
            "<event>",
            "($im|i won't be|i'm) not (going to|coming to|attending|doing|going) <event>",
            "(we|i) (don't|do not) need <event> [anymore|any more]",
            "<event> (is not happening|isn't happening|is off|is cancelled|won't happen|has been cancelled|is "
            "canceled)",
            "(scratch|kill|skip|strike|scrap) <event>",
        ),
    ),
    (
        "update_event",
        {},
        (
            "(change|set|update) the (location|place|address|venue|room) [(of|for) <event>] to <place>",
            "(move|shift) <event> to the <venue>",
            "<event> is now (at|in) <place>",
            "<event> (will be|takes place|is going to be|should be) (at|in) <place>",
            "<event> (should|must|has to|will|needs to|is going to|is now) [now] (start|begin|be) [on|at] <span>",
            "(do|have|hold|put) <mine> [at|on] <span>",
            "(do|have|hold|put) <mine> <time>",
        ),
    ),
    (
        "check_availability",
        {},
        (
            "(does|would|will|do) <time> (work|be okay|be possible|be fine|be free|suit me|fit|work out|be "
            "good|be alright) "
            "[for me|with me]",
            "(is|are) <time> (okay|fine|good|possible|open|available|still free|taken)",
            "(any|is there any|do i have any|have i got any|have i) [free] time [left] <time>",
            "am i (free|available|busy|open) <time> [for a <reason>]",
        ),
    ),
    (
        "check_availability",
        {"aspect": "slots"},
        (
            "(what's|what is|when is|find|find me|give me|show me) [my|the|a] [first|next|earliest|nearest] "
            "(free|open|empty) "
            "(slot|time|moment|hour|gap) [<time>]",
            "(when|what time) (could|can) i (fit in|squeeze in|meet|do|have|schedule|take) <reason> <time>",
            "(when|what time) (could|can) i (fit in|squeeze in) <reason>",
            "(find|find me|get me|is there|do i have|have i got) <length> [free] [on] <time>",
            "(is there|do i have|have i got|are there) [a|any|some] (gap|gaps|hole|opening|room|break) <time>",
        ),
    ),
    (
        "get_next_event",
        {},
        (
            "what (comes|is|do i have) after (this|that|it)",
            "$have (something|anything) coming up [soon|next|shortly]",
            "[my|the] next (meeting|appointment|event|call|one|thing)",
            "(what's|what is) [the|my] next thing [on $mine $day]",
            "(anything|something) (soon|coming up|coming up soon)",
        ),
    ),
    (
        "get_day_overview",
        {},
        (
            "(go|walk|run|take me) [me] through [my|the] [appointments|meetings|day|events|schedule|calendar] "
            "[for|on] [<time>]",
            "(do i need|do i have) to be (anywhere|somewhere) <time>",
            "what happens <time>",
            "what have i planned <time>",
        ),
    ),
    (
        "search_events",
        {"aspect": "place"},
        (
            "(what's|what is) the (address|location|place|room|venue) (of|for) <event>",
            "(which|what) (room|place|building) is <event> (in|at)",
        ),
    ),
    (
        "search_events",
        {"aspect": "length"},
        ("(when|what time) (does|will|do) <event> (end|finish|stop|be over|be done)",),
    ),
    (
        "search_events",
        {"aspect": "time"},
        (
            "(when|what time|on what day) (does|will|do) <event> (start|begin|take place|happen|open)",
            "(when was|when is|when's) <event> again",
        ),
    ),
    (
        "search_events",
        {"aspect": "people"},
        (
            "who (else) (is|will be|comes|is coming) [to|at|in|coming to] <event>",
            "with whom (is|do i have) <event>",
            "(how many people|who all) (is|are|will be) [coming to|in|at|coming] [<event>]",
        ),
    ),
    (
        "search_events",
        {},
        (
            "(am i|will i be) (meeting|seeing|visiting|talking to) <event>",
            "(tell me|say|i want to know) more about <event>",
            "more about <event>",
            "(look|search) for everything (about|with|on) <event>",
            "is <event> <alt> or <other>",
        ),
    ),
    (
        "create_reminder",
        {"aspect": "departure"},
        (
            "remind me <lead> (i have to|i need to|i must|i should|having to) $leave [(for|to) <event>]",
            "(tell|warn|remind) me <lead> departure [(for|to) <event>]",
        ),
    ),
]

PHRASINGS: tuple[Phrasing, ...] = tuple(
    phrasing(text, Wish(name=name, **slots), SLOTS, NAMES) for name, slots, texts in _SAYINGS for text in texts
)
"""Every phrasing, in the order in which they are tried."""


def said(turn: Turn) -> Wish | None:
    """Find the first phrasing that a turn fits; None where none does."""
    return next((wish for each in PHRASINGS if (wish := each.read(turn)) is not None), None)
