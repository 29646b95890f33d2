"""Spanish, of no country in particular. Patterns are folded: "mañana" is manana."""

from hospital.alarm_words import AlarmWords
from speech.ears.language import Answers, Dates, Language, Part, numbered, one_of
from speech.ears.numbers import NumberWords

MONTHS = numbered(
    "enero febrero marzo abril mayo junio julio agosto septiembre|setiembre octubre noviembre diciembre", 1
)
WEEKDAYS = numbered("lunes martes miercoles jueves viernes sabado domingo")
NEAR = {"hoy": 0, "esta manana": 0, "esta tarde": 0, "esta noche": 0, "pasado manana": 2, "manana": 1}
UNITS = {"dia": 1, "dias": 1, "semana": 7, "semanas": 7}
YEAR = r"(?P<year>\d{4})"

NUMBERS = NumberWords(
    small=numbered(
        "cero|sero uno|un|una|primero|primer|primera dos tres cuatro cinco seis siete ocho nueve diez once doce "
        "trece catorce quince dieciseis diecisiete dieciocho diecinueve veinte veintiuno|veintiun|veintiuna "
        "veintidos veintitres veinticuatro veinticinco veintiseis veintisiete veintiocho veintinueve"
    ),
    tens={"treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "setenta": 70, "ochenta": 80, "noventa": 90},
    hundreds={
        "cien": 100,
        "ciento": 100,
        "doscientos": 200,
        "trescientos": 300,
        "cuatrocientos": 400,
        "quinientos": 500,
        "seiscientos": 600,
        "setecientos": 700,
        "ochocientos": 800,
        "novecientos": 900,
    },
    join="y",
    tens_need_join=True,
    thousand="mil",
)

WORDS = Language(
    answers=Answers(
        yes=("sí", "sí señor", "sí señora", "sí por favor", "claro", "correcto", "así es", "de acuerdo"),
        no=("no", "no gracias", "incorrecto", "no es correcto", "de ninguna manera"),
        digits=(
            ("cero",),
            ("uno",),
            ("dos",),
            ("tres",),
            ("cuatro",),
            ("cinco",),
            ("seis",),
            ("siete",),
            ("ocho",),
            ("nueve",),
        ),
        ordinals=(
            ("la primera", "el primero", "primera opción"),
            ("la segunda", "el segundo", "segunda opción"),
            ("la tercera", "el tercero", "tercera opción"),
            ("la cuarta", "el cuarto", "cuarta opción"),
            ("la quinta", "el quinto", "quinta opción"),
        ),
        operator=("operadora", "hablar con una persona", "hablar con un operador", "quiero hablar con alguien"),
        repeat=("repetir", "repita por favor", "otra vez", "cómo dice"),
        back=("volver", "atrás", "regresar"),
        slower=("más despacio", "más lento"),
        language=("otro idioma", "cambiar de idioma"),
        urgent=(
            "es una emergencia",
            "me duele el pecho",
            "no puedo respirar",
            "estoy sangrando mucho",
            "me quiero morir",
            "está inconsciente",
        ),
        not_urgent=(
            "no es una emergencia",
            "no me duele el pecho",
            "puedo respirar bien",
            "no estoy sangrando",
            "no me quiero morir",
        ),
    ),
    red_flags=AlarmWords(
        flags={
            "chest pain": r"(\bme ?d\w{1,4}l\w*|duel\w*)( \w+){0,3} pecho|\bdolor\w*( \w+){0,4} pecho"
            r"|\bopresion( \w+){0,3} pecho|\bpecho( \w+)? (?<!no )(?<!no me )(?<!no le )duele"
            r"|\binfarto|\bataque al corazon",
            "breathing": r"\bno (\w+ ){0,2}pued\w* (casi )?respirar|\bno (\w+ )?respira\b|\bme (estoy )?ahog\w+"
            r"|\bse (esta )?ahog\w+|\bme falta (mucho )?el aire|\bdificultad(es)? para respirar"
            r"|\bcuesta (mucho )?respirar",
            "bleeding": r"\bsangr(o|a|ando|ado)\b( mucho)?|\bhemorragia|\bperd\w+ (mucha )?sangre"
            r"|\bno (\w+ )?par\w+ (de )?(sangrar|la sangre)",
            "unconscious": r"\binconsciente|\bse (ha )?desmay\w+|\bno (\w+ )?(responde|reacciona|despierta)\b"
            r"|\bperdi\w* (el conocimiento|la conciencia)",
            "self-harm": r"\bsuicid\w+|\bmatarme|\bme (quiero|voy a) matar|\bquit\w+ la vida"
            r"|\b(quiero|quisiera) morir\w*|\bme quiero morir|\bno quiero (seguir )?(viv\w+)|\bhacerme dano",
            "stroke": r"\bderrame|\bno (\w+ )?puede (hablar|mover)|\bcara (caida|torcida)|\bboca torcida",
            "emergency": r"\bemergencia|\burgencia vital|\bes urgente",
        },
        denied=r"\b(no|ya no|nunca|tampoco|sin|ni|ninguna?)( (me|le|es|hay|tengo|tiene|siento|estoy|esta|he|ha|tenido"
        r"|una|un|el|la|ninguna|ningun|nada de|mas|ya))*$",
    ),
    dates=Dates(
        months=MONTHS,
        weekdays=WEEKDAYS,
        near=NEAR,
        units=UNITS,
        parts={
            Part.MORNING: r"\b(por|de|en|a) la manana\b|\besta manana\b|\btemprano\b|\bantes del mediodia\b",
            Part.AFTERNOON: r"\b(por|de|en|a) la tarde\b|\besta tarde\b|\bdespues (del mediodia|de comer)\b",
            Part.EVENING: r"\b(por|de|en|a) la noche\b|\besta noche\b",
        },
        days=(
            rf"\b(?P<day>\d{{1,2}}) (de )?(?P<month>{one_of(MONTHS)})( (de|del) (ano )?{YEAR})?\b",
            r"\b(?P<day>\d{1,2})/(?P<month>\d{1,2})(/(?P<year>\d{4}))?\b",
            rf"\b(?P<weekday>{one_of(WEEKDAYS)}) (de )?(?P<later>la semana (que viene|proxima)|la proxima semana)\b",
            rf"\b(?P<later>(la semana que viene|la proxima semana)) el (?P<weekday>{one_of(WEEKDAYS)})\b",
            rf"\b(?P<this>este) (?P<weekday>{one_of(WEEKDAYS)})\b",
            rf"\b((el )?proximo )?(?P<weekday>{one_of(WEEKDAYS)})( (que viene|proximo))?\b",
            rf"\b(dentro de|en|de aqui a) (?P<ahead>\d{{1,2}}) (?P<unit>{one_of(UNITS)})\b",
            r"\b(?P<near>hoy|esta (manana|tarde|noche)|pasado manana|(?<!la )(?<!esta )manana)\b",
            r"\b(el )?dia (?P<day>\d{1,2})\b|^(el )?(?P<alone>\d{1,2})\b(?! (dia|dias|semana))",
        ),
        earliest=r"\blo (antes|mas pronto|mas temprano)( posible)?\b|\bcuanto antes\b|\blas? mas (pronto|cercanas?)\b"
        r"|\blas? (1|primeras?|primer) (horas? |citas? )?(libres?|disponibles?|que haya)\b",
        births=(
            rf"\b(?P<day>\d{{1,2}}) (de )?(?P<month>{one_of(MONTHS)}) (de |del )?(ano )?(?P<year>\d{{4}}|\d{{2}})\b",
            r"\b(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})\b",
            r"\b(?P<day>\d{1,2}) (del )?(?P<month>\d{1,2}) (de |del )?(?P<year>\d{4})\b",
        ),
        misheard=r"\b\d{1,2} de (?!la\b)",
    ),
    voicemail=r"\b(deje|grabe|dejenos|dejeme)( \w+){0,3} (mensaje|recado|nombre)|\bbu[zs]on\b"
    r"|\b(despues|luego) (del|de la|de el) (tono|senal|pitido|bip)|\bha llamado a\b|\bapagado o fuera"
    r"|\bha sido (transferid|desviad|enviad)\w+|\bnumero (que usted )?(ha )?(marcado|marco)\b",
    numerals=NUMBERS.numerals,
    join="y",
    also_digits={},
    twice={"doble": 2, "triple": 3},
)
