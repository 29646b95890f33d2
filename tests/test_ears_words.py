"""What spoken words mean, in the forms in which people say them and recognisers write them."""

import datetime as dt
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts import vocabulary
from speech.ears import DECOY, Grammar, GrammarRefused, grammars, red_flags, voicemail
from speech.ears.dates import SpokenDay, birth_date, earliest, spoken_day, told_date
from speech.ears.language import Part
from speech.ears.languages import LANGUAGES, NoEars, numerals
from tests import pickups

TODAY = dt.date(2026, 11, 26)  # a Thursday
M, A, E = Part.MORNING, Part.AFTERNOON, Part.EVENING

DAYS = {
    "es": {
        "hoy": ("2026-11-26", None),
        "esta tarde": ("2026-11-26", A),
        "mañana": ("2026-11-27", None),
        "mañana por la mañana": ("2026-11-27", M),
        "Mañana por la tarde, por favor.": ("2026-11-27", A),
        "pasado mañana": ("2026-11-28", None),
        "el lunes por la tarde": ("2026-11-30", A),
        "el jueves": ("2026-12-03", None),
        "este viernes": ("2026-11-27", None),
        "el próximo martes": ("2026-12-01", None),
        "el lunes que viene por la mañana": ("2026-11-30", M),
        "el viernes a las ocho de la mañana": ("2026-11-27", M),
        "el sábado de la semana que viene": ("2026-12-05", None),
        "el tres de marzo": ("2027-03-03", None),
        "el 3 de marzo por la noche": ("2027-03-03", E),
        "el primero de diciembre": ("2026-12-01", None),
        "el treinta y uno de diciembre de dos mil veintiséis": ("2026-12-31", None),
        "viernes cuatro de diciembre": ("2026-12-04", None),
        "el veintinueve": ("2026-11-29", None),
        "el día quince": ("2026-12-15", None),
        "dentro de dos semanas": ("2026-12-10", None),
        "dentro de una semana": ("2026-12-03", None),
        "el veintinueve de febrero": ("2028-02-29", None),
        "el viernes de la otra semana": ("2026-12-04", None),
        "la semana entrante el viernes": ("2026-12-04", None),
        "este martes que viene": ("2026-12-01", None),
        "de hoy en ocho": ("2026-12-03", None),
        "el viernes en ocho por la tarde": ("2026-12-04", A),
        "el treinta del mes que viene": ("2026-12-30", None),
        "el treinta de este mes": ("2026-11-30", None),
        "mañana en la mañana": ("2026-11-27", M),
        "mañana a primera hora": ("2026-11-27", M),
        "el cinco del tres": ("2027-03-05", None),
        "No, el martes.": ("2026-12-01", None),
        "el viernes a las diez menos cuarto": ("2026-11-27", None),
    },
    "en": {
        "today": ("2026-11-26", None),
        "tonight": ("2026-11-26", E),
        "tomorrow morning": ("2026-11-27", M),
        "the day after tomorrow": ("2026-11-28", None),
        "Next Tuesday morning.": ("2026-12-01", M),
        "next Friday": ("2026-12-04", None),
        "this Friday": ("2026-11-27", None),
        "on Monday": ("2026-11-30", None),
        "Thursday": ("2026-12-03", None),
        "Tuesday week": ("2026-12-08", None),
        "a week on Tuesday": ("2026-12-08", None),
        "Monday next week in the evening": ("2026-11-30", E),
        "the third of March": ("2027-03-03", None),
        "March the 3rd": ("2027-03-03", None),
        "March 3, 2027": ("2027-03-03", None),
        "March the third twenty twenty-seven": ("2027-03-03", None),
        "the twenty-first": ("2026-12-21", None),
        "Friday the fourth of December": ("2026-12-04", None),
        "in three days": ("2026-11-29", None),
        "in a week's time": ("2026-12-03", None),
        "a week today": ("2026-12-03", None),
        "one week from tomorrow": ("2026-12-04", None),
        "two weeks from today": ("2026-12-10", None),
        "Monday after next": ("2026-12-07", None),
        "a week from Monday": ("2026-12-07", None),
        "in a fortnight": ("2026-12-10", None),
        "first thing tomorrow": ("2026-11-27", M),
        "tomorrow arvo": ("2026-11-27", A),
        "the thirtieth of next month": ("2026-12-30", None),
        "No, on Friday.": ("2026-11-27", None),  # to a question that had another day
        "Friday, if you don't mind": ("2026-11-27", None),
        "Friday at 8.30": ("2026-11-27", None),
        "13/05/2027": ("2027-05-13", None),
        "5/5": ("2027-05-05", None),
    },
    "pt-BR": {
        "hoje à noite": ("2026-11-26", E),
        "amanhã": ("2026-11-27", None),
        "amanhã de manhã": ("2026-11-27", M),
        "Depois de amanhã.": ("2026-11-28", None),
        "na segunda-feira à tarde": ("2026-11-30", A),
        "sexta que vem": ("2026-11-27", None),
        "próxima terça": ("2026-12-01", None),
        "segunda da semana que vem": ("2026-11-30", None),
        "três de março": ("2027-03-03", None),
        "dia vinte e um de dezembro": ("2026-12-21", None),
        "primeiro de dezembro de manhã": ("2026-12-01", M),
        "dia quinze": ("2026-12-15", None),
        "daqui a três dias": ("2026-11-29", None),
        "daqui a duas semanas": ("2026-12-10", None),
        "hoje à tarde": ("2026-11-26", A),
        "sexta da outra semana": ("2026-12-04", None),
        "semana que vem na sexta": ("2026-12-04", None),
        "essa terça que vem": ("2026-12-01", None),
        "daqui quinze dias": ("2026-12-11", None),
        "de hoje a oito": ("2026-12-03", None),
        "dia trinta do mês que vem": ("2026-12-30", None),
        "dia cinco do três": ("2027-03-05", None),
    },
    "zh-CN": {
        "今天": ("2026-11-26", None),
        "今晚": ("2026-11-26", E),
        "明天下午": ("2026-11-27", A),
        "后天": ("2026-11-28", None),
        "後天上午": ("2026-11-28", M),
        "大后天": ("2026-11-29", None),
        "下周二上午": ("2026-12-01", M),
        "下個星期二": ("2026-12-01", None),
        "下下周五": ("2026-12-11", None),
        "这周日": ("2026-11-29", None),
        "星期一": ("2026-11-30", None),
        "礼拜天早上": ("2026-11-29", M),
        "三月三号": ("2027-03-03", None),
        "3月3日": ("2027-03-03", None),
        "十二月二十三日晚上": ("2026-12-23", E),
        "二零二七年三月三日": ("2027-03-03", None),
        "三号": ("2026-12-03", None),
        "两天后": ("2026-11-28", None),
        "两个星期后": ("2026-12-10", None),
        "下周的星期五": ("2026-12-04", None),
        "下个月三十号": ("2026-12-30", None),
        "大后天下午": ("2026-11-29", A),
        "后天一早": ("2026-11-28", M),
        "不，周二。": ("2026-12-01", None),
        "周二行不行": ("2026-12-01", None),
        "请帮忙约周二": ("2026-12-01", None),
    },
}

NO_DAY = {
    "es": [
        "",
        "no sé",
        "la semana que viene",
        "el lunes o el martes",
        "el treinta y uno de febrero",
        "viernes cinco de diciembre",
        "viernes ocho de hleros",  # as whisper wrote "enero"
        "este lunes",
        "mañana por la mañana o por la tarde",
        "el cuarenta",
        "el treinta y uno del dos",
        "no puedo el viernes",
        "el viernes no",
        "cualquier día menos el lunes",
        "dos semanas después del lunes",
        "después del lunes",
        "3/4/26",
    ],
    "en": [
        "",
        "whenever you like",
        "next week",
        "Monday or Tuesday",
        "the thirtieth of February",
        "this Monday",
        "Friday the fifth of December",
        "the third of March or the fourth of March",
        "I may come",
        "I can't come on Friday",
        "any day but Monday",
        "Tuesday is no good",
        "Friday, no",
        "I am busy on Monday",
        "two weeks from Monday",
        "a fortnight on Monday",
        "three days after Monday",
        "the day after Monday",
        "any time after Monday",
        "03/04/2026",
        "12/5",
        "the 12/5",
        "in 3-4 days",
    ],
    "pt-BR": [
        "",
        "não sei",
        "semana que vem",
        "segunda ou terça",
        "trinta de fevereiro",
        "sexta-feira oito de janela",
        "não posso na sexta",
        "qualquer dia menos segunda",
        "duas semanas depois de segunda",
        "depois da sexta",
    ],
    "zh-CN": [
        "",
        "随便",
        "下周",
        "星期一或者星期二",
        "二月三十号",
        "这周一",
        "周一不行",
        "除了周一都行",
        "明天不行",
        "周一，不行",
        "我周二没空",
        "三四天以后",
        "3、4天以后",
        "周一以后",
    ],
}

BIRTHS = {
    "es": {
        "nueve de mayo de mil novecientos cincuenta": "1950-05-09",
        "El 9 de mayo de 1950.": "1950-05-09",
        "nueve de mayo del cincuenta": "1950-05-09",
        "veintinueve de febrero de mil novecientos ochenta": "1980-02-29",
        "uno de enero de dos mil cinco": "2005-01-01",
        "treinta y uno de diciembre de mil novecientos noventa y nueve": "1999-12-31",
        "09/05/1950": "1950-05-09",
    },
    "en": {
        "the ninth of May nineteen fifty": "1950-05-09",
        "May 9th, 1950": "1950-05-09",
        "May the ninth nineteen fifty": "1950-05-09",
        "twenty-ninth of February nineteen eighty": "1980-02-29",
        "the first of January two thousand and five": "2005-01-01",
        "the second of March nineteen oh eight": "1908-03-02",
        "the third of April twenty fifteen": "2015-04-03",
        "13/05/1950": "1950-05-13",
        "05/05/1950": "1950-05-05",
    },
    "pt-BR": {
        "nove de maio de mil novecentos e cinquenta": "1950-05-09",
        "vinte e nove de fevereiro de mil novecentos e oitenta": "1980-02-29",
        "dois de janeiro de dois mil e cinco": "2005-01-02",
        "9 de maio de 1950": "1950-05-09",
    },
    "zh-CN": {
        "一九五零年五月九日": "1950-05-09",
        "一九八〇年二月二十九号": "1980-02-29",
        "1950年5月9日": "1950-05-09",
        "五零年五月九日": "1950-05-09",
    },
}

NO_BIRTH = {
    "es": [
        "nueve de mayo",
        "mil novecientos cincuenta",
        "nueve de mayo del veinte",
        "30 de febrero de 1980",
        "uno de enero de dos mil treinta",
        "uno de enero de mil ochocientos",
    ],
    "en": ["May nineteen fifty", "09/05/1950", "the ninth of May"],
    "pt-BR": ["nove de maio", "trinta e um de abril de mil novecentos e cinquenta"],
    "zh-CN": ["五月九日", "一九五零年", "一九五零年十三月九日"],
}

DIGITS: dict[str, dict[str, str | None]] = {
    "es": {
        "cinco cinco cinco uno dos tres cuatro": "5551234",
        "veinte, cuarenta y siete, uno": "20471",
        "treinta uno": "301",
        "treinta y uno": "31",
        "mi número es doble cero siete": "007",
        "555-1234.": "5551234",
        "mi cita": None,
        "cinco no seis": None,
    },
    "en": {
        "five five five one two three four": "5551234",
        "oh seven three nine one five": "073915",
        "double five one two": "5512",
        "nought two one": "021",
        "twenty forty-seven one": "20471",
        "5, 5, 5, 1": "5551",
        "one hundred": "100",
        "double": None,
    },
    "pt-BR": {"meia um dois": "612", "cinco cinco cinco um dois três quatro": "5551234", "vinte e um": "21"},
    "zh-CN": {"五五五幺二三四": "5551234", "幺三八零零": "13800", "二十一": "21", "预约": None},
}

ALARMS = {
    "es": {
        "me duele el pecho": "chest pain",
        "tengo un dolor muy fuerte en el pecho": "chest pain",
        "No. Me duele el pecho.": "chest pain",
        "no sé, me duele mucho el pecho": "chest pain",
        "Meduel mucho al pecho.": "chest pain",  # as whisper wrote it down, also so:
        "Medoele mucho al pecho.": "chest pain",
        "Meduale mucho al pecho.": "chest pain",
        "no puedo respirar": "breathing",
        "mi madre no respira": "breathing",
        "estoy sangrando mucho": "bleeding",
        "no para de sangrar": "bleeding",
        "mi marido se ha desmayado": "unconscious",
        "ya no quiero vivir": "self-harm",
        "estoy pensando en el suicidio": "self-harm",
        "no, no quiero suicidarme": "self-harm",  # who speaks of it is put through
        "me está doliendo el pecho": "chest pain",
        "me duele mucho aquí en medio del pecho": "chest pain",
        "siento una presión en el pecho": "chest pain",
        "tengo el pecho apretado": "chest pain",
        "me falta aire": "breathing",
        "le está faltando el aire": "breathing",
        "tengo falta de aire": "breathing",
        "no puedo ni respirar": "breathing",
        "le cuesta mucho trabajo respirar": "breathing",
        "me quedo sin aire": "breathing",
        "me sale mucha sangre": "bleeding",
        "está vomitando sangre": "bleeding",
        "me desmayé": "unconscious",
        "mi mamá no está respondiendo": "unconscious",
        "no tengo ganas de vivir": "self-harm",
        "quiero acabar con mi vida": "self-harm",
        "no puedo mover el brazo": "stroke",
        "no puede hablar": "stroke",
        "es una urgencia": "emergency",
        "se está muriendo": "emergency",
        "mi hijo está convulsionando": "emergency",
        "se me cierra la garganta": "allergy",
        "anafilaxia": "allergy",
        "se me está cerrando la garganta": "allergy",
        "la garganta se me está hinchando": "allergy",
        "tiene la lengua hinchada": "allergy",
        "creo que es una reacción alérgica": "allergy",
        "me tomé todas las pastillas": "overdose",
        "se tomó un frasco entero": "overdose",
        "me tomé muchas pastillas": "overdose",
        "se ha tomado demasiadas pastillas": "overdose",
        "me he tomado treinta pastillas": "overdose",
        "mi bebé tiene fiebre": "newborn fever",
        "mi recién nacido tiene mucha fiebre": "newborn fever",
        "tiene fiebre mi bebé": "newborn fever",
        "no siento el brazo": "stroke",
        "se me durmió la cara": "stroke",
        "no tengo fuerza en el brazo": "stroke",
        "se le cayó la cara": "stroke",
        "mi bebé no se mueve": "unconscious",
        "ya no quiero estar aquí": "self-harm",
    },
    "en": {
        "I have chest pain": "chest pain",
        "there's a pain in my chest": "chest pain",
        "I can't breathe": "breathing",
        "she is not breathing": "breathing",
        "he's bleeding a lot": "bleeding",
        "my mother passed out": "unconscious",
        "she's not responding": "unconscious",
        "I want to kill myself": "self-harm",
        "I don't want to live anymore": "self-harm",
        "my chest feels tight": "chest pain",
        "there is so much pressure on my chest": "chest pain",
        "I can hardly breathe": "breathing",
        "I can't catch my breath": "breathing",
        "he has stopped breathing": "breathing",
        "there is so much blood": "bleeding",
        "he is coughing up blood": "bleeding",
        "she just blacked out": "unconscious",
        "I can't wake him": "unconscious",
        "I don't want to be here any more": "self-harm",
        "they would be better off dead without me, and me too": "self-harm",
        "she can't speak": "stroke",
        "he can't move his arm": "stroke",
        "I need an ambulance": "emergency",
        "he is having a seizure": "emergency",
        "My throat is swelling up and I'm covered in hives": "allergy",
        "I'm having an allergic reaction": "allergy",
        "anaphylaxis": "allergy",
        "my throat is closing": "allergy",
        "her tongue is swollen": "allergy",
        "he is in anaphylactic shock": "allergy",
        "my newborn has a fever": "newborn fever",
        "my baby has a very high fever": "newborn fever",
        "my two week old is burning up": "newborn fever",
        "there is a fever in my newborn": "newborn fever",
        "I took all my pills": "overdose",
        "she swallowed a whole bottle of tablets": "overdose",
        "I've taken too many sleeping tablets": "overdose",
        "I took 40 pills": "overdose",
        "I took too much insulin": "overdose",
        "I took all the pills that I could find": "overdose",
        "my arm went numb": "stroke",
        "my face dropped on one side": "stroke",
        "one side of his face is drooping": "stroke",
        "I cannot feel my left leg": "stroke",
        "I can't feel my arm": "stroke",
        "my arm has gone weak": "stroke",
        "he cannot speak": "stroke",
        "my baby is not moving": "unconscious",
        "I can't feel my baby moving": "unconscious",
        "I do not want to be here anymore": "self-harm",
        "she does not want to live": "self-harm",
    },
    "pt-BR": {
        "estou com dor no peito": "chest pain",
        "não consigo respirar": "breathing",
        "ela está sangrando muito": "bleeding",
        "meu pai desmaiou": "unconscious",
        "eu quero morrer": "self-harm",
        "tá doendo o meu peito": "chest pain",
        "meu peito tá doendo muito": "chest pain",
        "não tô conseguindo respirar": "breathing",
        "estou com falta de ar": "breathing",
        "me falta o ar": "breathing",
        "ele está sem ar": "breathing",
        "mal consigo respirar": "breathing",
        "estou com um sangramento": "bleeding",
        "está saindo muito sangue": "bleeding",
        "ele está desacordado": "unconscious",
        "tenho vontade de morrer": "self-harm",
        "não aguento mais viver": "self-harm",
        "é uma urgência": "emergency",
        "minha filha está convulsionando": "emergency",
        "tomei todos os comprimidos": "overdose",
        "a garganta está fechando": "allergy",
        "anafilaxia": "allergy",
        "meu bebê está com febre": "newborn fever",
        "minha garganta tá fechando": "allergy",
        "ele tomou uma cartela inteira": "overdose",
        "tomei muitos remédios": "overdose",
        "tomei remédio demais": "overdose",
        "não sinto o braço": "stroke",
        "o rosto dele caiu": "stroke",
        "estou com o braço dormente": "stroke",
        "meu bebê não está se mexendo": "unconscious",
        "não quero mais estar aqui": "self-harm",
        "a língua está inchando": "allergy",
        "estou com uma reação alérgica": "allergy",
        "o recém-nascido está com febre": "newborn fever",
    },
    "zh-CN": {
        "我胸口很痛": "chest pain",
        "我胸痛": "chest pain",
        "喘不过气来": "breathing",
        "我出血了": "bleeding",
        "他昏迷了": "unconscious",
        "没有意识了": "unconscious",
        "我不想活了": "self-harm",
        "胸口突然很疼": "chest pain",
        "我胸口疼": "chest pain",
        "胸口发闷": "chest pain",
        "心口一阵一阵地疼": "chest pain",
        "胸口好悶": "chest pain",
        "我心绞痛又犯了": "chest pain",
        "我是不是心梗了": "chest pain",  # a question denies nothing
        "我喘不上气": "breathing",
        "我气短": "breathing",
        "他憋得慌": "breathing",
        "出了很多血": "bleeding",
        "血一直在流": "bleeding",
        "孩子没反应了": "unconscious",
        "我想去死": "self-harm",
        "活着没意思": "self-harm",
        "半边身子动不了": "stroke",
        "他嘴巴歪了": "stroke",
        "快叫救护车": "emergency",
        "我吃了很多安眠药": "overdose",
        "新生儿发烧": "newborn fever",
        "严重过敏反应": "allergy",
        "胳膊没有感觉": "stroke",
        "宝宝发高烧": "newborn fever",
        "我吃了一整瓶药": "overdose",
        "药吃多了": "overdose",
        "把所有的药都吃了": "overdose",
        "嗓子肿起来了": "allergy",
        "我过敏很严重": "allergy",
        "孩子一动不动": "unconscious",
        "我的胳膊突然没力气": "stroke",
        "右边的脸突然麻": "stroke",
        "刚出生的孩子发烧了": "newborn fever",
        "不想在这个世界上了": "self-harm",
    },
}

DENIED_IN_CHINESE = ["没有呼吸困难", "没呼吸困难", "没感觉胸闷", "不会胸痛", "我换不了时间", "不是心梗"]
NO_MORE_IN_CHINESE = [
    "没有过敏反应",
    "新生儿没有发烧",
    "宝宝不发烧了",
    "我吃了很多药都没好",
    "药都吃完了",
    "胳膊有感觉",
    "我吃了药",
    "喉咙肿痛",
    "嗓子疼",
    "没有严重过敏",
    "过敏不严重",
    "吃了一片安眠药",
    "我想给宝宝预约",
    "没有吃很多药",
]
NO_ALARM = {
    "es": [
        "no me duele el pecho",
        "ya no me duele el pecho",
        "no tengo dolor de pecho",
        "sin dolor en el pecho",
        "el pecho no me duele",
        "puedo respirar bien",
        "no estoy sangrando",
        "no me quiero morir",
        "quiero una cita",
        "no he sentido dolor en el pecho",
        "no estoy sintiendo presión en el pecho",
        "me duele la espalda pero no el pecho",
        "no me falta el aire",
        "falta el aire acondicionado en la sala",
        "no tengo problemas para respirar",
        "no me desmayé",
        "no puede mover la cita",
        "Lucía no puede hablar ahora",
        "salieron mis análisis de sangre",
        "mi bebé no tiene fiebre",
        "no tengo ninguna reacción alérgica",
        "tuve una reacción alérgica hace años",
        "no se me cierra la garganta",
        "me tomé todas las pastillas que me recetaron",
        "no me tomé todas las pastillas",
        "no siento dolor en el brazo",
        "no siento el brazo hinchado",
        "mi papá no bebe y tiene fiebre",
        "me duele la garganta",
        "soy alérgico a la penicilina",
        "no se me durmió el brazo",
        "no quiero estar aquí esperando",
        "me tomé la pastilla",
        "mi hijo no se mueve de casa",
        "la cita de mi bebé",
        "no tiene fiebre mi bebé",
        "me tomé las pastillas como me dijeron",
        "sí, me tomé todas las pastillas hoy y ayer",
    ],
    "en": [
        "I don't have chest pain",
        "no chest pain",
        "I have no pain in my chest",
        "I'm not bleeding",
        "I never feel any chest pain",
        "I can breathe",
        "I don't want to die",
        "I'd like an appointment",
        "I haven't felt any pain in my chest",
        "my chest doesn't hurt",
        "no longer any chest pain",
        "I need my blood pressure and a chest X-ray",
        "I can't speak right now",
        "I can't talk to you at the moment",
        "I can't move my appointment",
        "I have lost my blood test form",
        "I'm not having an allergic reaction",
        "I've never had anaphylaxis",
        "no known allergic reactions",
        "I had an allergic reaction to penicillin years ago",
        "my baby does not have a fever",
        "my newborn has no fever",
        "the baby has no temperature",
        "I took all my pills as prescribed",
        "yes, I took all my pills today and yesterday",
        "I have not taken all my pills",
        "I took all the tablets you gave me",
        "I did not take too many pills",
        "my arm is not numb",
        "no numbness in my arm",
        "my face is not drooping",
        "the baby is moving fine",
        "I'm not moving my appointment",
        "it has taken too much time",
        "I'm allergic to penicillin",
        "when does my baby get her vaccine",
        "I took a pill this morning",
        "she is not moving house",
        "my throat is sore",
        "I need an allergy test",
        "I took my medicine",
    ],
    "pt-BR": [
        "não estou com dor no peito",
        "não tenho dor no peito",
        "sem falta de ar",
        "não estou sangrando",
        "não tô com dor no peito",
        "não estou sentindo falta de ar",
        "o peito não está doendo",
        "não tenho sangramento",
        "ele não consegue falar agora",
        "não consigo mexer no aplicativo",
        "onde fica o pronto-socorro",
        "meu bebê não está com febre",
        "não tive nenhuma reação alérgica",
        "tomei todos os comprimidos que o médico passou",
        "tomei o remédio",
        "tomei todos os remédios",
        "tomei todos os comprimidos hoje e ontem",
        "não sinto dor no braço",
        "a garganta não está fechando",
        "estou com dor de garganta",
        "sou alérgico a penicilina",
        "não tomei todos os comprimidos",
        "meu bebê está bem",
        "tive uma reação alérgica há anos",
        "não quero mais estar aqui esperando",
        "ele bebe água e está com febre",
    ],
    "zh-CN": [
        "我胸口不痛",
        "没有胸痛",
        "我没有出血",
        "他没有昏迷",
        "我想预约",
        *DENIED_IN_CHINESE,
        *NO_MORE_IN_CHINESE,
    ],
}


SOONEST = {
    "es": ["Lo antes posible.", "cuanto antes, por favor", "lo más pronto posible", "la primera hora libre"],
    "en": ["The earliest, please.", "as soon as possible", "the first available time", "the next free time"],
    "pt-BR": ["O quanto antes.", "o mais cedo possível", "o primeiro horário livre", "assim que possível"],
    "zh-CN": ["最早的", "越快越好。", "尽快", "最近的时间"],
}
NOT_SOONEST = {
    "es": ["la primera", "temprano por la mañana", "el lunes"],
    "en": ["the first one", "early in the morning", "next Tuesday"],
    "pt-BR": ["a primeira", "cedo", "segunda-feira"],
    "zh-CN": ["第一个", "早上", "下周二"],
}


HOUSE = {
    "es": {
        "Asesor.": grammars.OPERATOR,
        "por favor, quiero hablar con un asesor": grammars.OPERATOR,
        "Perdón, no entendí.": grammars.REPEAT,
        "¿Mande?": grammars.REPEAT,
    },
    "en": {
        "Representative!": grammars.OPERATOR,
        "can I talk to someone please": grammars.OPERATOR,
        "Sorry?": grammars.REPEAT,
        "I didn't hear that.": grammars.REPEAT,
    },
    "pt-BR": {"quero falar com um humano": grammars.OPERATOR, "Desculpe, não entendi.": grammars.REPEAT},
    "zh-CN": {"人工": grammars.OPERATOR, "人工客服": grammars.OPERATOR, "没听清": grammars.REPEAT},
}
YES_AND_NO = {
    "es": (["está bien", "exacto"], ["no señor", "no señora"]),
    "en": (["sure", "okay"], ["nah", "not right"]),
    "pt-BR": (["está certo", "tá bom"], ["errado", "não está certo"]),
    "zh-CN": (["没错", "行"], ["不行", "错了"]),
}


def rows(table: dict[str, dict[str, object]]) -> list[tuple[str, str, object]]:
    return [(language, text, meant) for language, texts in table.items() for text, meant in texts.items()]


def lines(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(language, text) for language, texts in table.items() for text in texts]


@pytest.mark.covers("H11")
@pytest.mark.parametrize(("language", "text", "meant"), rows(DAYS))  # type: ignore[arg-type]
def test_a_day_is_understood(language: str, text: str, meant: tuple[str, Part | None]) -> None:
    assert spoken_day(text, language, TODAY) == SpokenDay(dt.date.fromisoformat(meant[0]), meant[1])


@pytest.mark.parametrize(("language", "text"), lines(NO_DAY))
def test_what_is_no_day_or_two_is_not_guessed(language: str, text: str) -> None:
    assert spoken_day(text, language, TODAY) is None


def test_a_day_that_has_been_this_year_is_that_of_next_year() -> None:
    assert spoken_day("el tres de marzo", "es", dt.date(2027, 3, 3)) == SpokenDay(dt.date(2027, 3, 3))
    assert spoken_day("el tres de marzo", "es", dt.date(2027, 3, 4)) == SpokenDay(dt.date(2028, 3, 3))


@pytest.mark.covers("H2", "H11")
@pytest.mark.parametrize(("language", "text"), lines(SOONEST))
def test_the_sooner_the_better_is_understood(language: str, text: str) -> None:
    assert earliest(text, language) and spoken_day(text, language, TODAY) is None


@pytest.mark.parametrize(("language", "text"), lines(NOT_SOONEST))
def test_the_first_of_a_list_or_an_early_hour_is_not_the_earliest(language: str, text: str) -> None:
    assert not earliest(text, language)


@pytest.mark.covers("H11")
@pytest.mark.parametrize(("language", "text", "meant"), rows(BIRTHS))  # type: ignore[arg-type]
def test_a_date_of_birth_is_understood(language: str, text: str, meant: str) -> None:
    assert birth_date(text, language, TODAY) == dt.date.fromisoformat(meant)


@pytest.mark.parametrize(("language", "text"), lines(NO_BIRTH))
def test_a_date_of_birth_is_not_guessed(language: str, text: str) -> None:
    assert birth_date(text, language, TODAY) is None


@pytest.mark.parametrize(("language", "text", "meant"), rows(DIGITS))  # type: ignore[arg-type]
def test_a_row_of_digits_is_understood(language: str, text: str, meant: str | None) -> None:
    assert grammars.digits(text, language) == meant


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_every_digit(language: str) -> None:
    for value, ways in enumerate(LANGUAGES[language].answers.digits):
        assert {grammars.digits(way, language) for way in ways} == {str(value)}


@pytest.mark.covers("H9")
@pytest.mark.parametrize(("language", "text", "meant"), rows(ALARMS))  # type: ignore[arg-type]
def test_an_alarm_is_heard(language: str, text: str, meant: str) -> None:
    assert meant in red_flags.heard(text, language)


@pytest.mark.covers("H9")
@pytest.mark.parametrize(("language", "text"), lines(NO_ALARM))
def test_an_alarm_that_is_denied_is_none(language: str, text: str) -> None:
    assert red_flags.heard(text, language) == ()


@pytest.mark.covers("H9")
@pytest.mark.parametrize(("language", "text", "meant"), rows(ALARMS))  # type: ignore[arg-type]
def test_an_alarm_is_one_in_writing_too(language: str, text: str, meant: str) -> None:
    assert red_flags.written(text, vocabulary.alarms())


@pytest.mark.covers("H9")
@pytest.mark.parametrize(
    "text",
    [
        *("La herida no sangra.", "ya no sangra, gracias", "no tuve hemorragia", "not suicidal", "não sangra mais"),
        *("no tengo fiebre ni sangrado", "没有胸闷、气短", "no chest pain or trouble breathing", "无发热和胸痛"),
    ],
)
def test_what_one_language_denies_is_an_alarm_in_none(text: str) -> None:
    assert not red_flags.written(text, vocabulary.alarms())


@pytest.mark.covers("H11")
@pytest.mark.parametrize(("language", "text", "meant"), rows(HOUSE))  # type: ignore[arg-type]
def test_a_person_and_once_more_are_asked_for_in_the_usual_words(language: str, text: str, meant: str) -> None:
    assert grammars.house_word(text, language) == meant


@pytest.mark.parametrize("language", LANGUAGES)
def test_yes_and_no_in_the_usual_words(language: str) -> None:
    yes, no = YES_AND_NO[language]
    answers = LANGUAGES[language].answers
    assert set(yes) <= set(answers.yes) and set(no) <= set(answers.no)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_alarms_of_the_closed_grammars_are_those_of_free_speech(language: str) -> None:
    words = LANGUAGES[language].answers
    assert [way for way in words.urgent if not red_flags.heard(way, language)] == []
    assert [way for way in words.not_urgent if red_flags.heard(way, language)] == []


@given(st.sampled_from(sorted(LANGUAGES)), st.data())
def test_no_words_whatever_are_too_much(language: str, data: st.DataObject) -> None:
    tables: list[Mapping[str, Iterable[str]]] = [DAYS, BIRTHS, DIGITS, ALARMS]
    known = sorted({word for table in tables for text in table[language] for word in text.split()})
    words = data.draw(
        st.lists(st.sampled_from(known) | st.text(max_size=8) | st.from_regex(r"\d{1,6}", fullmatch=True))
    )
    text = data.draw(st.sampled_from(["", " "])).join(words)
    day, birth = spoken_day(text, language, TODAY), birth_date(text, language, TODAY)
    assert day is None or isinstance(day.date, dt.date)
    assert birth is None or birth <= TODAY
    assert (grammars.digits(text, language) or "0").isdigit()
    assert set(red_flags.heard(text, language)) <= LANGUAGES[language].red_flags.flags.keys()


# ── grammars ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_words_that_grammars_need(language: str) -> None:
    house, answers = grammars.house(language), LANGUAGES[language].answers
    assert {grammars.OPERATOR, grammars.URGENT, DECOY} < house.keys() and all(house.values())
    assert len(answers.digits) == 10 and all(answers.digits)
    assert len(answers.ordinals) == 5 and all(answers.ordinals)


@pytest.mark.parametrize(
    ("phrases", "told"),
    [
        ({}, "empty"),
        ({"1": ()}, "no way to be said"),
        ({"": ("uno",)}, "no way to be said"),
        ({"1": ("",)}, "empty way"),
        ({"1": (" \n",)}, "empty way"),
        ({"1": ("[unk]",)}, r"'\['"),
        ({"1": ('un"o',)}, "in a phrase"),
        ({"1": ("uno\0",)}, "in a phrase"),
        ({"1": ("\ud800",)}, "in a phrase"),
        ({"1": ("cita 1",)}, "'1' in a phrase: write it in words"),
        ({"1": ("a" * 121,)}, "more than 120 letters"),
        ({str(at): ("a" * (at % 100 + 1) + "b" * (at // 100 + 1),) for at in range(301)}, "more than 300 phrases"),
        ({"1": ("sí",), "2": ("Sí",)}, "a phrase in common"),
    ],
)
def test_a_grammar_that_kills_an_engine_cannot_be_made(phrases: dict[str, tuple[str, ...]], told: str) -> None:
    with pytest.raises(GrammarRefused, match=told):
        Grammar("es", phrases)


@pytest.mark.parametrize("language", ["mi", "xx"])
def test_a_language_without_ears_is_told(language: str) -> None:
    assert not grammars.hears(language)
    with pytest.raises(NoEars, match="speech/ears/languages"):
        grammars.house(language)
    with pytest.raises(NoEars):
        spoken_day("tomorrow", language, TODAY)


@pytest.mark.parametrize(
    ("language", "text", "meant"),
    [
        ("es", "mil novecientos cincuenta y cinco", "1955"),
        ("es", "dos mil veintiséis", "2026"),
        ("es", "ciento uno", "101"),
        ("en", "nineteen hundred and five", "1905"),
        ("en", "two thousand and twenty-six", "2026"),
        ("en", "nineteen fifty", "19 50"),
        ("en", "a hundred and eighty", "a 180"),
        ("en", "zero hundred", "0 100"),
        ("en", "three and three", "3 and 3"),
        ("pt-BR", "mil novecentos e cinquenta e cinco", "1955"),
        ("pt-BR", "dois mil e vinte e seis", "2026"),
        ("zh-CN", "一百零五", "105"),
        ("zh-CN", "一九五五", "1955"),
        ("zh-CN", "一百八", "180"),
        ("zh-CN", "一千二百五", "1250"),
        ("zh-CN", "两千零五十", "2050"),
        ("zh-CN", "一万二", "12000"),
        ("zh-CN", "十二万零三", "120003"),
        ("zh-CN", "一百八五", "一百八五"),
        ("zh-CN", "万一", "万一"),
    ],
)
def test_numbers_are_put_together(language: str, text: str, meant: str) -> None:
    assert numerals(text, language) == meant


IN_THE_WAY = {
    "es": ["Ahora no puedo atenderle, llámeme más tarde.", "Lucía no está disponible, ¿quiere dejar un mensaje?"],
    "en": [
        "I can't take your call now.",
        "She is not available. Do you want to leave a message? Can you leave a name?",
    ],
    "pt-BR": ["Agora não posso atender, ligue mais tarde.", "Ele não está disponível. Quer deixar um recado?"],
    "zh-CN": ["我现在不方便接电话，请过一会儿再打。", "她不在，您要留言吗？"],
}
"""Of people, who say it over our greeting: they are no machines for that."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_machines_say_is_known_and_what_people_say_is_none_of_it(language: str) -> None:
    machines = (pickups.SHORT, pickups.GREETING, pickups.BOX, pickups.UNAVAILABLE)
    assert [said[language] for said in machines if not voicemail.announced(said[language], language)] == []
    people = (pickups.HELLO, pickups.AGAIN, pickups.LONG_HELLO, pickups.TALKATIVE, pickups.NEWS)
    said_by_people = [said[language] for said in people] + IN_THE_WAY[language]
    assert [said for said in said_by_people if voicemail.announced(said, language)] == []


@pytest.mark.covers("H28")
@pytest.mark.parametrize(
    ("said", "language", "meant"),
    [
        ("el primero de marzo de dos mil veintiséis", "es", "2026-03-01"),
        ("desde el veinte de noviembre", "es", "2026-11-20"),  # without a year the nearest
        ("el tres de marzo", "es", "2027-03-03"),
        ("anteayer", "es", "2026-11-23"),
        ("antes de ayer", "es", "2026-11-23"),
        ("el miércoles veinticinco de noviembre", "es", "2026-11-25"),
        ("el jueves veinticinco de noviembre", "es", None),  # it is no Thursday
        ("el lunes", "es", None),  # of this week or the last?
        ("ayer o anteayer", "es", None),
        ("hace tres días", "es", None),
        ("el treinta de febrero de 2026", "es", None),
        ("March the first twenty twenty six", "en", "2026-03-01"),
        ("the first of March 2026", "en", "2026-03-01"),
        ("since the day before yesterday", "en", "2026-11-23"),
        ("the twentieth of November", "en", "2026-11-20"),
        ("tomorrow", "en", "2026-11-26"),
        ("primeiro de março de dois mil e vinte e seis", "pt-BR", "2026-03-01"),
        ("anteontem", "pt-BR", "2026-11-23"),
        ("vinte de novembro", "pt-BR", "2026-11-20"),
        ("二零二六年三月一号", "zh-CN", "2026-03-01"),
        ("十一月二十号", "zh-CN", "2026-11-20"),
        ("前天开始的", "zh-CN", "2026-11-23"),
        ("no lo sé", "es", None),
    ],
)
def test_a_date_that_is_told_may_be_of_the_past_or_to_come(said: str, language: str, meant: str | None) -> None:
    told = told_date(said, language, dt.date(2026, 11, 25))
    assert (told and told.isoformat()) == meant
