"""English, as it is spoken in New Zealand, Britain and America. Patterns are folded: "can't" is cant."""

from hospital.alarm_words import AlarmWords
from speech.ears.language import Amounts, Answers, Dates, Language, Part, numbered, one_of
from speech.ears.numbers import NumberWords

MONTHS = numbered(
    "january|jan february|feb march april may june july august|aug september|sept october|oct november|nov "
    "december|dec",
    1,
)
WEEKDAYS = numbered("monday tuesday wednesday thursday friday saturday sunday")
NEAR = {
    "today": 0,
    "tonight": 0,
    "this morning": 0,
    "this afternoon": 0,
    "this evening": 0,
    "tomorrow": 1,
    "the day after tomorrow": 2,
    "day after tomorrow": 2,
}
NEAR |= {f"{one} week{of}": 7 for one in ("a", "1") for of in (" today", " from today")} | {"today week": 7}
NEAR |= {f"{one} week{of}": 8 for one in ("a", "1") for of in (" tomorrow", " from tomorrow")} | {"tomorrow week": 8}
NEAR |= {"2 weeks today": 14, "2 weeks from today": 14}
UNITS = {"day": 1, "days": 1, "week": 7, "weeks": 7, "fortnight": 14, "fortnights": 14}
YEAR = r"(?P<year>\d{4}|(?:19|20) (?:0 \d|\d{2}))"
BETWEEN = r"( (?!(no|not|but|without|never|doesnt|isnt|hasnt|didnt|wasnt)\b)\w+)"  # a word between whom and what
LIMB = r"(((left|right) )?(arm|leg)|face|(left|right) side|side of (my|his|her|the) (face|body))"
PILLS = r"(pills|tablets|capsules|painkillers)"
MEDICINE = rf"({PILLS}|medication|medicines?|meds|insulin|paracetamol|panadol|tylenol|aspirin|ibuprofen)"
PRESCRIBED = (
    r"( (as|like|on time|every day|daily|(today|yesterday) and"
    r"|(that )?(you|they|the (doctor|nurse|hospital)|(i was|were) (told|given))))"
)

NUMBERS = NumberWords(
    small=numbered(
        "zero|oh|nought one|first two|second three|third four|fourth five|fifth six|sixth seven|seventh eight|eighth "
        "nine|ninth ten|tenth eleven|eleventh twelve|twelfth thirteen|thirteenth fourteen|fourteenth "
        "fifteen|fifteenth sixteen|sixteenth seventeen|seventeenth eighteen|eighteenth nineteen|nineteenth "
        "twentieth"
    )
    | {"thirtieth": 30},
    tens={
        "twenty": 20,
        "thirty": 30,
        "forty": 40,
        "fifty": 50,
        "sixty": 60,
        "seventy": 70,
        "eighty": 80,
        "ninety": 90,
    },
    hundreds={},
    join="and",
    tens_need_join=False,
    hundred="hundred",
    thousand="thousand",
)

WORDS = Language(
    answers=Answers(
        yes=("yes", "yes please", "yeah", "yep", "correct", "that's right", "sure", "okay"),
        no=("no", "no thank you", "no thanks", "nope", "that's wrong", "nah", "not right"),
        digits=(
            ("zero", "oh", "nought"),
            ("one",),
            ("two",),
            ("three",),
            ("four",),
            ("five",),
            ("six",),
            ("seven",),
            ("eight",),
            ("nine",),
        ),
        ordinals=(
            ("the first", "the first one", "first option"),
            ("the second", "the second one", "second option"),
            ("the third", "the third one", "third option"),
            ("the fourth", "the fourth one", "fourth option"),
            ("the fifth", "the fifth one", "fifth option"),
        ),
        operator=(
            "operator",
            "speak to a person",
            "speak to someone",
            "talk to a human",
            "talk to someone",
            "representative",
            "a real person",
        ),
        repeat=("repeat", "say that again", "pardon", "sorry", "I didn't hear that"),
        back=("go back", "back"),
        slower=("slower", "more slowly"),
        language=("another language", "change the language"),
        urgent=(
            "it's an emergency",
            "I have chest pain",
            "I can't breathe",
            "I'm bleeding badly",
            "I want to die",
            "he is unconscious",
        ),
        not_urgent=(
            "it's not an emergency",
            "I don't have chest pain",
            "I can breathe fine",
            "I'm not bleeding",
            "I don't want to die",
        ),
    ),
    red_flags=AlarmWords(
        flags={
            "chest pain": r"\bchest ((really|still|is|feels|has been|so|very) ){0,3}"
            r"(pains?|hurts?|hurting|aching|tight|tightness|pressure|heavy)\b"
            r"|\b(pains?|hurts?|hurting|tightness|aching)( (?!no\b|not\b|but\b)\w+){0,4} chest\b"
            r"|(?<!blood )\bpressure (on|in|across|around)( \w+)? chest|\btight chest|\bheart attack|\bcardiac arrest",
            "breathing": r"\b(cant|cannot|can not|couldnt|unable to|hard to|hardly|barely|struggling (to|for)|trouble"
            r"|difficulty|gasping for)( \w+)? breath\w*|\b(cant|cannot|couldnt) (catch|get)( \w+)? breath"
            r"|\b(short|out) of breath|\bshortness of breath|\bbreathless"
            r"|\b(not|isnt|stopped) breathing|\bsuffocating|\bchoking|\basthma attack",
            "bleeding": r"\bbleed(s|ing)?\b|\bha?emorrhag\w+|\blots? of blood\b(?! tests?)|\bso much blood"
            r"|\b(losing|lost|vomiting|coughing|throwing|passing)( \w+){0,2} blood\b(?! (test|sample|result|pressure))",
            "unconscious": r"\bunconscious|\bpassed out|\bfainted|\bcollapsed|\bblacked out|\bcan(t|not| not) wake\b"
            r"|\b(not|isnt|doesnt|wont) (responding|respond|responsive|waking up|wake up)|\bunresponsive"
            r"|\b(baby|newborn|infant|toddler|child|son|daughter|s?he|s?hes)( (is|has|just|really))?"
            r" (not|isnt|stopped|wont) (moving|move)\b(?! (to|house|the|his|her|my|away|out))"
            r"|\b(baby|newborn) (has not|hasnt) moved|\b(can(t|not| not)|have(nt| not)) (feel|felt) (my|the) baby",
            "self-harm": r"\bsuicid\w+|\bkill(ing)? (myself|himself|herself)|\b(want|wants|going) to die|\bwanna die"
            r"|\bend(ing)? my life|\bend it all|\btak(e|ing) my (own )?life|\bbetter off dead|\bwish i (was|were) dead"
            r"|\b(do|does)(nt| not) (want to|wanna) (live|be alive|be here any ?more)|\bno reason to live"
            r"|\bcutting myself"
            r"|\bhurt(ing)? myself|\bharm(ing)? myself",
            "stroke": r"\bstroke\b|\bslurr\w+|\bparaly\w+|\bnumb\w*( \w+){0,3} side\b"
            rf"|\b(face|mouth){BETWEEN}{{0,3}} (droop\w*|dropp\w+|fallen|sagg\w+|crooked|lopsided)\b"
            rf"|\b{LIMB}{BETWEEN}{{0,3}} (numb|(gone|went|feels) (weak|dead|limp))\b"
            rf"|\b(numbness|weakness|numb)( in| on| down)?( \w+)? {LIMB}\b"
            rf"|\bcan(t|not| not) feel (my|his|her) {LIMB}\b"
            r"|\bcan(t|not| not) (speak|talk)\b(?! (now|right|at|just|to|with|on|about|for|long))"
            r"(?! (english|spanish|portuguese|chinese))"
            r"|\bcan(t|not| not) move\b(?!( \w+){0,2} (appointment|booking|time|date|day|to)\b)",
            "emergency": r"\bemergency|\bits urgent|\bambulance|\bdying\b(?! to)|\bseizures?\b|\bhaving a fit"
            r"|\bconvuls\w+|\bpoison\w+",
            "allergy": r"\banap\w*la[xc]\w+"
            r"|\ballergic reactions?\b(?!( \w+){0,4} (ago|last (week|month|year|time)|in the past|as a child|once)\b)"
            rf"|\b(throat|tongue|lips?|face){BETWEEN}{{0,3}} (swell(s|ed|ing)?|clos(es|ing)|closed up)\b"
            rf"|\b(tongue|lips?){BETWEEN}{{0,3}} swollen|\bswollen (tongue|lips?)"
            r"|\bswelling (of|in|around)( \w+)? (throat|tongue|lips?|face)"
            r"|\b(covered in|full of) hives|\bhives all over",
            "newborn fever": rf"\b(newborns?|new born|babys?|infant|(days?|weeks?) old){BETWEEN}{{0,5}}"
            r" (fever|feverish|(a|high) temperature|burning up)\b"
            rf"|\b(fever|feverish|high temperature){BETWEEN}{{0,3}} (newborn|new born|baby|infant)\b",
            "overdose": r"\boverdos\w+"
            r"|\b(took|tak(en|ing)|swallow(ed|ing)|injected)( \w+){0,2} (too (many|much)|double)"
            rf"( (?!no\b|not\b)\w+){{0,3}} {MEDICINE}\b"
            r"|\b(took|taken|swallowed)( \w+){0,2} (all|lots?|loads|heaps|handfuls?|dozens|a bunch)( of)?"
            rf"( (my|his|her|the|these|those|sleeping)){{0,3}} {PILLS}\b(?!{PRESCRIBED})"
            r"|\b(took|taken|swallowed)( \w+)? (whole|entire|full) (bottle|box|pack|packet|strip)\b"
            r"|\b(took|taken|swallowed)( \w+)? ([2-9]\d|\d{3}|twenty|thirty|forty|fifty|sixty|a hundred)"
            rf"( \w+){{0,2}} {PILLS}\b",
        },
        denied=r"\b(no|not|never|without|dont|doesnt|isnt|arent|wasnt|havent|hasnt|didnt)"
        r"( (a|an|any|the|have|has|had|having|been|got|feel|felt|feeling|in|my|really|more|longer|want|currently"
        r"|known|severe))*$"
        r"|\b(no|without|any)( \w+){1,3} n?or( (a|an|any|the))?$",
    ),
    dates=Dates(
        months=MONTHS,
        weekdays=WEEKDAYS,
        near=NEAR,
        past={"yesterday": 1, "the day before yesterday": 2, "day before yesterday": 2},
        units=UNITS,
        parts={
            Part.MORNING: r"\bmorning\b|\b1 thing\b|\bbefore (noon|lunch)\b",
            Part.AFTERNOON: r"\bafternoon\b|\barvo\b|\bafter (noon|lunch)\b",
            Part.EVENING: r"\bevening\b|\bnight\b|\btonight\b",
        },
        days=(
            rf"\b(?P<day>\d{{1,2}}) (of )?(?P<month>{one_of(MONTHS)})( (of )?{YEAR})?\b",
            rf"\b(?P<month>{one_of(MONTHS)}) (the )?(?P<day>\d{{1,2}})( (of )?{YEAR})?\b",
            r"\b(?P<day>\d{1,2}) of (?P<nextmonth>next month)\b",
            rf"\b(?P<weekday>{one_of(WEEKDAYS)}) (of )?(?P<later>next week)\b",
            rf"\b(?P<later>next week) (on )?(?P<weekday>{one_of(WEEKDAYS)})\b",
            rf"\b(?P<weekday>{one_of(WEEKDAYS)}) (?P<plus>week|after next)\b",
            rf"\b(?P<plus>(a|1) week (on|from)) (?P<weekday>{one_of(WEEKDAYS)})\b",
            rf"\b(?P<later>next) (?P<weekday>{one_of(WEEKDAYS)})\b",
            rf"\b(?P<this>this) (?P<weekday>{one_of(WEEKDAYS)})\b",
            rf"\b(this coming |coming |on )?(?P<weekday>{one_of(WEEKDAYS)})\b",
            rf"\bin (?P<ahead>\d{{1,2}}|a) (?P<unit>{one_of(UNITS)})( time)?\b",
            rf"\b(?P<near>{one_of(NEAR)})\b",
            r"(?<!\bat )\b(?P<either>\d{1,2})/(?P<other>\d{1,2})(/(?P<year>\d{4}))?\b",
            r"\bthe (?P<day>\d{1,2})\b|^(?P<alone>\d{1,2})\b(?! (day|days|week|thing))",
        ),
        earliest=r"\b(earliest|soonest|asap)\b|\bas (soon|early) as (possible|you can)\b|\b(1|next) (free|available)\b",
        births=(
            rf"\b(?P<day>\d{{1,2}}) (of )?(?P<month>{one_of(MONTHS)}) (of )?"
            r"(?P<year>\d{4}|(?:19|20) (?:0 \d|\d{2})|\d{2})\b",
            rf"\b(?P<month>{one_of(MONTHS)}) (the )?(?P<day>\d{{1,2}}) (of )?{YEAR}\b",
            r"\b(?P<either>\d{1,2})/(?P<other>\d{1,2})/(?P<year>\d{4})\b",
        ),
        refused=r"\b(no|not|never|cant|cannot|dont(?! mind)|doesnt|wont|couldnt|isnt|arent|except|unless|busy|away"
        r"|unavailable|(apart|away) from|(other|rather) than|instead of|(any|every)\w*( \w+){0,2} but)\b",
        left_over=r"\b\d+ (days|weeks|months)\b|\bfortnights?\b|\b(a|1|few|couple of) (weeks?|months?)\b"
        r"|\bday (after|before)\b|\b(before|after|until|till|from) \|",
    ),
    amounts=Amounts(
        half=r"\b([0-9]+)( [a-z]+)? and (a )?half\b",
        left_over=r"\b(half|halves|quarters?|hundreds|thousands|millions?|dozens?|point|minus)\b"
        r"|\b[0-9]+ (and|to|or) [0-9]|\b(between|less|more|fewer|under|over|at (least|most)|up to|almost|nearly)\b",
    ),
    voicemail=r"(?<!to )(?<!you )\bleave( \w+){0,4} (message|name|number)|\b(voice ?mail|mailbox|voice message)"
    r"|\b(after|at) the (tone|beep|signal)|\b(you have|youve) reached|\brecord your message|\bis not in service"
    r"|\b(person|number|subscriber) you (are|have|were) (calling|called|dial\w+)|\btry your call again",
    numerals=NUMBERS.numerals,
    join="and",
    also_digits={"o": "0", "to": "2", "too": "2", "for": "4", "won": "1", "ate": "8"},
    twice={"double": 2, "triple": 3},
)
