"""How one asks in English to be put through.

A sentence counts as a whole: what stands beside the wish must be known to mean nothing. So "put me through to reception
tomorrow" is none, nor is anything that somebody else has said.
"""

from phone_bridge.call.through.tongue import tongue

_SPELLING = {
    "i m": "i am",
    "i d": "i would",
    "id like": "i would like",
    "id rather": "i would rather",
    "i ve": "i have",
    "don t": "do not",
    "dont": "do not",
    "wanna": "want to",
    "gonna": "going to",
    "gotta": "have to",
    "lemme": "let me",
    "gimme": "give me",
    "ok": "okay",
    "all right": "okay",
    "alright": "okay",
    "mr": "mister",
    "dr": "doctor",
    "it s": "it is",
    "there s": "there is",
    "doesn t": "does not",
    "isn t": "is not",
    "that s": "that is",
}
_BESIDES = """
a an and or then but not at on in after before when if about for from by with until next last this that these those it
today tomorrow tonight morning afternoon evening noon week month year minute minutes hour hours oclock later again
soon monday tuesday wednesday thursday friday saturday sunday january february march april june july august september
october november december one two three four five six seven eight nine ten eleven twelve first second third i me my
mine we us our you your he him his she they them their who whom what which where why how meeting meetings appointment
appointments event events calendar call calls reminder day days cancel move book schedule remind tell ask say said is
are was were be been am will would can could do does did have has please now instead to through wifi internet the no
"""
_GRAMMAR = """
lead = hello | hi | hey | good (morning | afternoon | evening | day) | okay | well | so | yes | yeah | yep | sure | oh
  | actually | sorry | excuse me | then | look | listen | please | thanks | thank you | and | right | no | nope | i
  said | i am sorry | in that case | wait | there | i give up | this is (useless | hopeless) | (this | it) (is not |
  does not | isnt | doesnt) (working | helping | help | work) | you do not understand [me];
soft = please | just | really | simply | now | maybe | perhaps | kindly | actually | then | instead | rather |
  quickly;
tail = please | now | right now | right away | immediately | instead | then | directly | thanks | thank you | if
  (possible | you can | i may | i could | you (do not mind | would | could | please)) | today | for me | okay |
  straight away | at once | if that is (okay | possible);
ask = (can | could | will | would) you <soft>* | i (want | need | would like) you to | would you mind | please;
article = a | an | the | your | any | some | another;
kind = real | live | actual | human | living | other | different | proper;
job = person | human [being] | operator | agent | representative | receptionist | employee | manager | supervisor |
  colleague | secretary | clerk | boss | member of staff | member of your staff | advisor | consultant | somebody |
  customer (service | support | care) (agent | representative) | service (agent | representative);
body = someone | somebody | anyone | anybody;
desk = reception | front desk | switchboard | customer (service | support | care) | help desk | operator | office |
  team | staff | [live | technical] support;
person = [<article>] <kind>* <job> | <body> [else | real | human | there | at all] | [the | your] <desk> | (<body> |
  <article> <job>) (in | from | at) [the | your] <desk>;
talk = (talk | speak) (to | with);
wish = i <soft>* (want | need | wish | have | got | prefer) to | i would <soft>* (like | love | prefer) to | i would
  rather | (can | could | may | might) i <soft>* | let me <soft>* | i <soft>* (want | need) to be able to | (is it |
  would it be) possible (for me to | to) | i am trying to | could you let me | can you let me;
through = put me [on | straight] through | (put | patch) (my | this | the) call through | patch me [through] | connect
  me | transfer me [over] | transfer (my | this | the) call | switch me [over] | pass me [on | over] | hand me over |
  forward me | redirect me | route me | forward (my | this) call | putting me through | connecting me | transferring
  me;
be = (i <soft>* want to | i would <soft>* (like | love) to | i <soft>* need to | (can | could | may) i <soft>*) be
  (put through | transferred | connected | passed on | put);
whoso = somebody | someone | anybody | anyone | a person | people | an agent | a representative | a manager | a
  colleague;
callee = [the | your | our] <name> [department | team | desk | office | people | staff] | <whoso> [who works] (in |
  from | at | of) [the | your] <name> [department | team | office];
machine = a <machines> | this <machines> | the <machines> | <machines>;
machines = [voice] (machine | robot | computer | bot | assistant) | machines | robots | computers | an ai | ai;
stranger = [the | a | an] <unknown>;
call = <wish> <talk> | <talk> | <wish> have a word with;
anyone = <lead>* ([<ask>] <soft>* <through> <soft>* [(to | with) <person>] | <be> [(to | with) <person>] | <call>
  <person> | i <soft>* (need | want | would like | would rather have | demand) <soft>* <hand> | [<ask>] <soft>* (get |
  give | find) me <soft>* <person> [(to <talk> | i can <talk> | that i can <talk>)] | (is there | do you have)
  (<person>) (that | who | whom |) (i (can | could) <talk> | to <talk>) [here] | (can | could) (somebody | someone)
  <soft>* (talk | speak) (to | with) me [instead] | i do not (want | like | wish) to (<talk>) <machine> [[i <soft>*]
  want [to] <talk> <person> | <call> <person>]) <tail>* | <calm>* <bare> <tail>*;
calm = hello | hi | okay | well | please | yes | so | oh;
hand = <article> <kind>* <job>;
bare = [the | an | a | your] <kind>* (operator | human [being] | representative | receptionist | member of staff) | (a
  | an | the | your) (person | agent | manager | supervisor) | (agent | person | manager) please | live support | [a |
  an] (real | live | actual | human) (person | agent | operator | being) | customer (service | support | care);
named = <lead>* ([<ask>] <soft>* <through> <soft>* (to | with) <callee> | <be> (to | with) <callee> | <call> <callee>
  | [<ask>] <soft>* (get | give | pass) me <soft>* <callee> [on the (line | phone)]) <tail>*;
other = <lead>* ([<ask>] <soft>* <strong> <soft>* (to | with) <stranger> | <be> (to | with) <stranger>) <tail>*;
strong = put me [on | straight] through | patch me through | connect me | transfer me [over];
answer = <lead>* [i (want | would like) | give me | get me | (i think | maybe)] [to | with | with the] <callee>
  <tail>*;
whoever = <lead>* (whoever [is (there | free | available)] [picks up] | <body> | any [one] [of them] | it does not
  matter | i do not (mind | care) | either [one] [of them]) <tail>*;
"""

ENGLISH = tongue(spelling=_SPELLING, fillers="uh uhm um umm er erm ah eh hm hmm mm", besides=_BESIDES, grammar=_GRAMMAR)
