"""Spanish, of no country in particular. Patterns are folded: "mañana" is manana."""

from hospital.alarm_words import AlarmWords
from speech.ears.language import Amounts, Answers, Dates, Language, Part, numbered, one_of
from speech.ears.numbers import NumberWords

MONTHS = numbered(
    "enero febrero marzo abril mayo junio julio agosto septiembre|setiembre octubre noviembre diciembre", 1
)
WEEKDAYS = numbered("lunes martes miercoles jueves viernes sabado domingo")
NEAR = {"hoy": 0, "esta manana": 0, "esta tarde": 0, "esta noche": 0, "pasado manana": 2, "manana": 1}
NEAR |= {"hoy en 8": 7, "manana en 8": 8, "hoy en 15": 14}  # de hoy en ocho: the same weekday of the next week
UNITS = {"dia": 1, "dias": 1, "semana": 7, "semanas": 7}
YEAR = r"(?P<year>\d{4})"
LATER = r"(?P<later>la semana (que viene|proxima|entrante|siguiente)|la (proxima|otra) semana)"
BETWEEN = r"( (?!no\b|ni\b|sin\b|pero\b)\w+)"  # a word between what hurts and the chest: "la espalda pero no el pecho"
LIMB = r"(brazo|pierna|cara|lado|mitad|medio cuerpo)"
BABY = (
    r"((mi|el|la|un|una|su|este|esta|al|del) bebe|bebit[oa]|bebecit[oa]|(hij|nin)[oa] de (\w+ )?(dias|semanas)"
    r"|recien nacid[oa])"
)
PILLS = r"(pastill|pildor|comprimid|tablet|capsul|calmant|somnifer)\w+"
TOOK = r"\b(tom(e|o|aron|ado)|trag(o|ue|aron|ado)|ingiri\w+|ingerid\w+)"
PRESCRIBED = (
    r"( (como|a (sus|la) horas?|cada dia|todos los dias|(hoy|ayer) y"
    r"|que (me |le )?(recet|mand|dio|dieron|indic|toca|deb)))"
)

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
        yes=(
            "sí",
            "sí señor",
            "sí señora",
            "sí por favor",
            "claro",
            "correcto",
            "así es",
            "de acuerdo",
            "está bien",
            "exacto",
        ),
        no=("no", "no gracias", "incorrecto", "no es correcto", "de ninguna manera", "no señor", "no señora"),
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
        operator=(
            "operadora",
            "hablar con una persona",
            "hablar con un operador",
            "quiero hablar con alguien",
            "operador",
            "asesor",
            "hablar con un asesor",
        ),
        repeat=("repetir", "repita por favor", "otra vez", "cómo dice", "no entendí", "no le entendí", "mande"),
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
            "chest pain": rf"(\bme ?d\w{{1,4}}l\w*|duel\w*|\bdoliendo){BETWEEN}{{0,5}} pecho"
            rf"|\b(dolor\w*|molestias?|punzadas?|puntadas?|ardor|quemazon){BETWEEN}{{0,4}} pecho"
            rf"|\b(o?presion|apret\w+|apriet\w+|oprim\w+|peso|pesadez){BETWEEN}{{0,3}} pecho"
            r"|\bpecho (?!no\b)((me|le|si|todavia|ya|esta|muy) ){0,3}(duele|doliendo|apretado|oprimido)"
            r"|\binfarto|\bataque (al|del?) corazon|\b(ataque|paro) cardiaco",
            "breathing": r"\bno (\w+ ){0,2}(pued\w*|pod\w+|consig\w+|logr\w+|alcanz\w+ a) (\w+ ){0,2}respirar"
            r"|\bno (\w+ )?(respira|respiro)\b|\bno (\w+ )?esta respirando|\bapenas (\w+ ){0,2}respir\w+"
            r"|\b(me|se) (estoy |esta )?(ahog|asfixi|sofoc)\w+"
            r"|\bfalt(a|aba|ando)( (mucho|mucha|un|poco|tanto|el|de)){0,3} aire\b(?! acondicionado)"
            r"|\bsin (aire\b(?! acondicionado)|aliento)|\b(dificultad(es)?|problemas?) (para|al|de|en) respirar"
            r"|\bdificultad respiratoria|\bcuesta( \w+){0,2} respirar|\brespir[ao] (muy )?(mal|con dificultad)",
            "bleeding": r"\bsangr(o|a|an|ando|ado)\b|\bdesangr\w+|\bhemorragia|\bmucha sangre"
            r"|\bperd\w+ (mucha |tanta )?sangre|\bno (\w+ )?par\w+ (de )?(sangrar|la sangre|salir sangre)"
            r"|\b(sal(e|io|iendo)|bot(o|a|ando)|vomit\w+|escup\w+|tos\w*|orin\w+)"
            r"( (mucha|mucho|bastante|tanta|un|poco|de|con)){0,3} sangre",
            "unconscious": r"\binconsciente|\b(se|me) (ha |he )?desmay\w+|\besta desmayad\w+"
            r"|\bno (\w+ )?(responde|reacciona|despierta)\b(?! (el|al) (telefono|correo|mensaje))"
            r"|\bno (\w+ )?(respondiendo|reaccionando)"
            r"|\b(bebe|hij[oa]|nin[oa]|mama|papa|madre|padre|marido|espos[oa]) no (se )?(ha |esta )?(muev|mov)\w*\b"
            r"(?! (de|la|las|el|su|mi|una) )|\bno (\w+ )?(siento|sentido) (moverse )?(al|a mi) bebe"
            r"|\bno (\w+ )?(siento|sentido) que (el|mi) bebe se mueva"
            r"|\bperdi\w* (el conocimiento|la conciencia|el sentido)",
            "self-harm": r"\bsuicid\w+|\bmatarme|\bme (quiero|quisiera|voy a) matar|\bquit\w+ la vida"
            r"|\b(quiero|quisiera|prefiero|preferiria) (morir|estar muert)\w*|\bme quiero morir"
            r"|\bganas de (morir|matar)\w*|\bno (\w+ ){0,2}(quiero|ganas de|vale la pena) (seguir )?viv\w+"
            r"|\bsin ganas de viv\w+|\bdejar de vivir|\bacabar con mi vida|\bcort\w+ las venas"
            r"|\bhacerme dano|\blastimarme"
            r"|\bno (\w+ ){0,2}(quiero|quisiera) (estar|seguir) (mas )?(aqui|en este mundo|viv[oa])\b"
            r"(?! (esperando|en (la )?(espera|fila|linea)))",
            "stroke": r"\bderrame|\bembolia|\bictus|\bparali[sz]\w+"
            r"|\bno (\w+ )?puede hablar\b(?! (ahora|en|con|por|mas tarde))"
            r"|\bno (\w+ )?pued[eo] mover(?!( \w+){0,2} (cita|hora|horario|turno|consulta|fecha|carro|auto))"
            r"|\b(cara|boca) (\w+ )?(caida|torcida|chueca)"
            r"|\bse (le|me) (torcio|cayo|paralizo) (el lado de |media )?(la )?(cara|boca)"
            rf"|\bno (\w+ )?(siento|siente) (el|la|mi|su|un|una|medio) {LIMB}\b(?! (hinchad|dormid|adormecid|mal|rar))"
            rf"|\b{LIMB}{BETWEEN}{{0,3}} (adormecid|entumecid|entumid|dormid|insensibl)\w+"
            rf"|\bse (le|me) (durmio|entumecio|adormecio|esta durmiendo)( \w+){{0,2}} {LIMB}\b"
            rf"|\b(no (\w+ )?(tengo|tiene)|sin|perd\w+( la)?) fuerzas? (en|de|del) (el |la |un |una )?{LIMB}\b",
            "emergency": r"\bemergencia|\burgencia vital|\bes urgente|\buna urgencia|\bauxilio|\bsocorro"
            r"|\bambulancia|\bconvuls\w+|\b(se|me) est(a|oy) muriendo|\benvenen\w+",
            "allergy": r"\banafila\w+|\banafilac\w+"
            r"|\b(reaccion(es)? alergicas?|alergia (muy )?(grave|severa|fuerte))\b"
            r"(?!( \w+){0,4} (hace|el ano pasado|cuando era|de nin[oa]|antes)\b)"
            r"|\bse (me|le) ((esta|estan|ha) )?(cierr|cerr|hinch)\w+( \w+){0,2} (garganta|lengua|cara|labios?)"
            r"|\b(garganta|lengua|cara|labios?) (se (me|le) ((esta|ha) )?(cierr|cerr|hinch)\w+|(esta )?cerrando)"
            r"|\b(lengua|labios?) (\w+ )?hinchad\w+|\bhinchazon (de|en) (la |los )?(garganta|lengua|cara|labios)"
            r"|\b(llen[oa]|cubiert[oa]) de ronchas|\bronchas (por|en) todo",
            "newborn fever": rf"\b{BABY}{BETWEEN}{{0,5}} (fiebre|calentura|temperatura (muy )?alta)\b"
            rf"|\b(fiebre|calentura){BETWEEN}{{0,3}} {BABY}\b",
            "overdose": r"\bsobredosis"
            rf"|{TOOK}( \w+)? (tod[oa]s (las|los|mis|sus|esas|esos)|much[oa]s|muchisim[oa]s|un monton de|un puno de"
            rf"|[2-9]\d|\d{{3}}|veinte|treinta|cuarenta|cincuenta|cien) {PILLS}\b(?!{PRESCRIBED})"
            rf"|{TOOK}( \w+)? (demasiad[oa]s?|mucha|el doble de( la)?) ({PILLS}|medic\w+|insulina|dosis|paracetamol)\b"
            rf"|{TOOK}( \w+)? (el|la|un|una) (frasco|caja|bote|blister|tira) (enter[oa]|complet[oa]|de {PILLS})"
            rf"|{TOOK}( \w+)? tod[oa] (el|la) (frasco|caja|bote|blister|tira)\b",
        },
        denied=r"\b(no|ya no|nunca|tampoco|sin|ni|ninguna?)( (me|le|es|hay|tengo|tiene|siento|estoy|esta|he|ha|tenido"
        r"|sentido|sintiendo|tuve|hubo|senti|ahora|una|un|el|la|ninguna|ningun|nada de|mas|ya))*$",
    ),
    dates=Dates(
        months=MONTHS,
        weekdays=WEEKDAYS,
        near=NEAR,
        past={"ayer": 1, "anteayer": 2, "antes de ayer": 2},
        units=UNITS,
        parts={
            Part.MORNING: r"\b(por|de|en|a) la manana\b|\besta manana\b|\ba 1 hora\b|\btemprano\b"
            r"|\bantes del mediodia\b",
            Part.AFTERNOON: r"\b(por|de|en|a) la tarde\b|\besta tarde\b|\bdespues (del mediodia|de comer)\b",
            Part.EVENING: r"\b(por|de|en|a) la noche\b|\besta noche\b",
        },
        days=(
            rf"\b(?P<day>\d{{1,2}}) (de )?(?P<month>{one_of(MONTHS)})( (de|del) (ano )?{YEAR})?\b",
            r"\b(?P<day>\d{1,2})/(?P<month>\d{1,2})(/(?P<year>\d{4}))?\b",
            r"\b(?P<day>\d{1,2}) del? (?P<nextmonth>(mes (que viene|proximo|entrante|siguiente)|(proximo|otro) mes))\b",
            r"\b(?P<day>\d{1,2}) del? (este mes|presente mes)\b",
            r"\b(?P<day>\d{1,2}) del (?P<month>\d{1,2})\b",
            r"\b(?P<near>(hoy|manana) en 8|hoy en 15)( dias)?\b",
            rf"\b(?P<weekday>{one_of(WEEKDAYS)}) (de )?{LATER}\b",
            rf"\b{LATER} (el )?(?P<weekday>{one_of(WEEKDAYS)})\b",
            rf"\b(?P<weekday>{one_of(WEEKDAYS)}) (?P<plus>en 8)( dias)?\b",
            rf"\b(?P<this>este) (?P<weekday>{one_of(WEEKDAYS)})\b(?! (que viene|proximo|entrante))",
            rf"\b((el )?proximo )?(?P<weekday>{one_of(WEEKDAYS)})( (que viene|proximo|entrante))?\b",
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
        refused=r"\b(no|nunca|tampoco|ni|excepto|salvo|imposible|ocupad[oa]|en vez de|en lugar de)\b"
        rf"|\bmenos (el|los|la|las|ese|esa|este|esta|hoy|manana|{one_of(WEEKDAYS)})\b",
        left_over=r"\b\d+ (dias?|semanas?|mes(es)?)\b|\ben (8|15)\b"
        r"|\b(despues|antes|a partir|desde|hasta)( del?| el)? \|",
        misheard=r"\b\d{1,2} de (?!la\b)",
    ),
    amounts=Amounts(
        half=r"\b([0-9]+)( [a-z]+)? y medi[oa]\b",
        left_over=r"\bmedi[oa]s?\b|\b(un|tres|1|3) cuartos?\b|\b(cientos|miles|millon(es)?|docenas?|coma)\b|\bbajo 0\b"
        r"|\b[0-9]+ [yao] [0-9]|\b(entre|(menos|mas) (de|que)|(al|por lo) menos|como mucho|como maximo|hasta|casi)\b",
        thousands=".",
        doubtful=True,
    ),
    voicemail=r"\b(deje|grabe|dejenos|dejeme)( \w+){0,3} (mensaje|recado|nombre)|\bbu[zs]on\b"
    r"|\b(despues|luego) (del|de la|de el) (tono|senal|pitido|bip)|\bha llamado a\b|\bapagado o fuera"
    r"|\bha sido (transferid|desviad|enviad)\w+|\bnumero (que usted )?(ha )?(marcado|marco)\b",
    numerals=NUMBERS.numerals,
    join="y",
    also_digits={},
    twice={"doble": 2, "triple": 3},
)
