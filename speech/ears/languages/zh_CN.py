"""Chinese of the mainland. No spaces, and numbers are numerals before a pattern sees them: 下周二 is 下周2."""

from hospital.alarm_words import AlarmWords
from speech.ears.language import Answers, Dates, Language, Part
from speech.ears.numbers import chinese_numerals

WEEKDAYS = {"1": 0, "2": 1, "3": 2, "4": 3, "5": 4, "6": 5, "日": 6, "天": 6}
NEAR = {"今天": 0, "今日": 0, "今晚": 0, "今早": 0, "明天": 1, "明日": 1, "明早": 1, "明晚": 1, "后天": 2, "大后天": 3}
UNITS = {"天": 1, "周": 7, "星期": 7, "礼拜": 7, "个星期": 7, "个礼拜": 7}
WEEK = "(周|星期|礼拜)"

WORDS = Language(
    spaced=False,
    answers=Answers(
        yes=("是", "是的", "对", "对的", "好", "好的", "可以"),
        no=("不", "不是", "不对", "不要", "不用了", "没有"),
        digits=(
            ("零",),
            ("一", "幺"),
            ("二", "两"),
            ("三",),
            ("四",),
            ("五",),
            ("六",),
            ("七",),
            ("八",),
            ("九",),
        ),
        ordinals=(
            ("第一个", "第一"),
            ("第二个", "第二"),
            ("第三个", "第三"),
            ("第四个", "第四"),
            ("第五个", "第五"),
        ),
        operator=("人工服务", "转人工", "我要人工", "找人接听"),
        repeat=("重复", "再说一遍", "请再说一次"),
        back=("返回", "上一步"),
        slower=("慢一点", "说慢点"),
        language=("换语言", "其他语言"),
        urgent=("紧急情况", "我胸口痛", "我喘不上气", "我大出血", "我不想活了", "他昏迷了"),
        not_urgent=("不是紧急情况", "我胸口不痛", "我没有出血", "他没有昏迷"),
    ),
    red_flags=AlarmWords(
        flags={
            "chest pain": r"(胸口?|心口|心脏)(很|好|特别|非常|有点|一直|在|部)*(疼|痛|闷)"
            r"|胸部?疼痛|心梗|心肌梗|心脏病发",
            "breathing": r"(喘|呼吸|透)不(上|过|了)(气|来)?(气)?|呼吸困难"
            r"|(不能|没法|无法|没办法)呼吸|没(有)?呼吸|窒息|上不来气",
            "bleeding": r"出血|流血|大量失血|吐血|咳血|便血|血止不住",
            "unconscious": r"昏迷|晕倒|昏倒|晕过去|昏过去|(没有?|失去|没了)(意识|知觉)|不省人事|叫不醒|休克",
            "self-harm": r"自杀|自残|轻生|不想活|想死|想不开|(结束|了结)(自己的|我的)?生命|伤害自己",
            "stroke": r"中风|脑梗|脑出血|嘴歪|口角歪斜|说不出话|半身不遂",
            "emergency": r"紧急情况|急救|救命|很危急",
        },
        denied=r"(不是?|没有?|并没有?|无|未|从不|从没)(在|再|有|感到|觉得|出现|发生|什么)*$",
    ),
    dates=Dates(
        months={str(number): number for number in range(1, 13)},
        weekdays=WEEKDAYS,
        near=NEAR,
        units=UNITS,
        parts={
            Part.MORNING: r"上午|早上|早晨|清早|今早|明早",
            Part.AFTERNOON: r"下午|午后",
            Part.EVENING: r"晚上|傍晚|夜里|今晚|明晚",
        },
        days=(
            r"((?P<year>\d{4})年)?(?P<month>\d{1,2})月(份)?(?P<day>\d{1,2})(日|号)?",
            rf"(?P<fortnight>下下)个?{WEEK}(?P<weekday>[1-6日天])",
            rf"(?P<later>下)个?{WEEK}(?P<weekday>[1-6日天])",
            rf"(?P<this>(这|本))个?{WEEK}(?P<weekday>[1-6日天])",
            rf"{WEEK}(?P<weekday>[1-6日天])",
            r"(?P<ahead>\d{1,2})(?P<unit>天|周|个?星期|个?礼拜)(以|之)?后",
            r"(?P<near>大后天|后天|今天|今日|今晚|今早|明天|明日|明早|明晚)",
            r"(?P<day>\d{1,2})(号|日)",
        ),
        earliest=r"最早|最快|越快越好|越早越好|尽快|尽早",
        births=(
            r"(?P<year>\d{4}|\d{2})年(?P<month>\d{1,2})月(?P<day>\d{1,2})(日|号)?",
            r"(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})",
        ),
    ),
    voicemail=r"请留言|请.{0,8}留下|语音信箱|提示音|滴声|嘟声|您拨打的|您呼叫的|无法接通|稍后再拨|已关机|已停机|是空号|不在服务区",
    numerals=lambda text: chinese_numerals(text.replace(" ", "")),
    also_digits={},
    twice={},
)
