"""Chinese (mainland): 十一月二十三日星期一, 上午九点二十分. num2words has no Chinese, so the numbers are
ours.
"""

from __future__ import annotations

import datetime as dt

from babel.dates import format_date

NAME = "Chinese"  # in the console, which is English
LOCALE = "zh_CN"
NUMERALS = "零一二三四五六七八九"
# In telephone numbers one is 幺: 一 is misheard as 七.
DIGITS = ("零", "幺", "二", "三", "四", "五", "六", "七", "八", "九")
SPACE = ""
PLUS = "加"
PAUSE = "，"
POINT = "点"  # of a decimal number
MINUS = "负"
ELDER, YOUNGER = "年纪较大的{}", "年纪较小的{}"  # of two of one name
COMPARED = {"<": "小于", ">": "大于", "≤": "不超过", "≥": "不小于"}
KEYS = {"*": "星(号|键)", "#": "井(号|键)"}  # as sentences name them
# Measure words, and what is counted without one.
COUNTED = ("个|位|次|天|周|年|片|粒|颗|杯|瓶|碗|支|只|条|种|项|步|岁|分钟|小时|晚|夜|遍|口|勺|公斤|斤|米|公里", "(?!)")
STOP = "。"  # what ends a sentence
LETTERS_A_SECOND = 4.5  # of its speech: a syllable each
LETTERS = {letter: letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}  # by their English names, as everybody does


def cardinal(number: int, feminine: bool = False) -> str:
    """Up to 99 999 999, as counted aloud: 十二, 二十, 一百零五, 两千, 两万零三."""
    if number < 0:
        return "负" + cardinal(-number)
    if number == 0:
        return NUMERALS[0]
    myriads, rest = divmod(number, 10_000)
    words = ""
    if myriads:
        words = ("两" if myriads == 2 else cardinal(myriads)) + "万"
        if 0 < rest < 1000:
            words += "零"
    words += _below_a_myriad(rest)
    # 十二, not 一十二; but 一百一十二 and 一万零一十二
    return words.removeprefix("一") if words.startswith("一十") else words


def _below_a_myriad(number: int) -> str:
    words, skipped = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            numeral = "两" if (digit, unit) == (2, 1000) else NUMERALS[digit]
            words += ("零" if skipped and words else "") + numeral + name
        skipped = not digit
    return words


def count(number: int, feminine: bool = False) -> str:
    """Before a measure word (个, 位, 次, 号) two is 两: 两个, but 十二个."""
    return "两" if number == 2 else cardinal(number)


def ordinal(number: int, feminine: bool = False) -> str:
    return f"第{cardinal(number)}"


def day(date: dt.date) -> str:
    return f"{_day_and_month(date)}{format_date(date, 'EEEE', locale='zh_CN')}"


def full_date(date: dt.date) -> str:
    year = "".join(NUMERALS[int(digit)] for digit in str(date.year))
    return f"{year}年{_day_and_month(date)}"


def time_of_day(time: dt.time) -> str:
    hour = time.hour if time.hour <= 12 else time.hour - 12
    said = count(hour)
    match time.minute:
        case 0:
            minutes = ""
        case 30:
            minutes = "半"
        case minute:
            minutes = ("零" if minute < 10 else "") + cardinal(minute) + "分"
    return f"{_part_of_day(time.hour)}{said}点{minutes}"


def clock_24(time: dt.time) -> str:
    hour = f"{count(time.hour)}点"
    if time.minute == 0:
        return f"{hour}整"
    return f"{hour}{'零' if time.minute < 10 else ''}{cardinal(time.minute)}分"


def moment(date: dt.date, time: dt.time, clock: int = 12) -> str:
    if clock == 24:
        return f"{day(date)}，{clock_24(time)}"  # apart, or 星期二 and 二十二点 run into one number
    return f"{day(date)}{time_of_day(time)}"


def duration(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{count(minutes)}分钟"
    if rest == 30:
        return f"{count(hours)}个半小时"
    return f"{count(hours)}个小时" + (f"{'零' if rest < 10 else ''}{count(rest)}分钟" if rest else "")


def about(minutes: int) -> str:
    return f"大约{duration(minutes)}"


def doctor(name: str, feminine: bool) -> str:
    return f"{name}医生"


def _day_and_month(date: dt.date) -> str:
    return f"{cardinal(date.month)}月{cardinal(date.day)}日"


def _part_of_day(hour: int) -> str:
    if hour < 6:
        return "凌晨"
    if hour < 12:
        return "上午"
    if hour == 12:
        return "中午"
    return "下午" if hour < 18 else "晚上"
