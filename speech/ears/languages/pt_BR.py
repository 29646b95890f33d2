"""Portuguese of Brazil. Patterns are folded: "amanhã" is amanha."""

from hospital.alarm_words import AlarmWords
from speech.ears.language import Amounts, Answers, Dates, Language, Part, numbered, one_of
from speech.ears.numbers import NumberWords

MONTHS = numbered("janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro", 1)
WEEKDAYS = {
    **numbered("segunda terca quarta quinta sexta sabado domingo"),
    **{f"{name} feira": at for at, name in enumerate(("segunda", "terca", "quarta", "quinta", "sexta"))},
}
NEAR = {"hoje": 0, "amanha": 1, "depois de amanha": 2}
NEAR |= {"hoje a 8": 7, "hoje a 15": 14}  # de hoje a oito: the same weekday of the next week
UNITS = {"dia": 1, "dias": 1, "semana": 7, "semanas": 7}
LATER = r"(?P<later>(proxima|outra) semana|semana (que vem|seguinte))"
BETWEEN = r"( (?!nao\b|nem\b|sem\b|mas\b)\w+)"  # a word between what hurts and the chest: "as costas mas não o peito"
LIMB = r"(braco|perna|rosto|lado|metade|cara)"
BABY = (
    r"((meu|minha|o|a|um|uma|seu|nosso|nossa|do|no) bebe|bebezinh[oa]|nene[m]?|filh[oa] de (\w+ )?(dias|semanas)"
    r"|recem nascid[oa])"
)
PILLS = r"(comprimid|pilul|capsul|calmant)\w+"
MEDICINE = rf"({PILLS}|remedios?|medicamentos?|insulina)"
TOOK = r"\b(tom(ei|ou|aram|ado)|engoli(u|ram|do)?|ingeri(u|ram|do)?)"
PRESCRIBED = (
    r"( (como|na hora|no horario|todo dia|todos os dias|(hoje|ontem) e|direit\w+|cert\w+"
    r"|que (o|a|me|ele|ela|voces?|foram)))"
)

NUMBERS = NumberWords(
    small=numbered(
        "zero um|uma|primeiro|primeira dois|duas tres quatro cinco seis sete oito nove dez onze doze treze "
        "quatorze|catorze quinze dezesseis dezessete dezoito dezenove"
    ),
    tens={
        "vinte": 20,
        "trinta": 30,
        "quarenta": 40,
        "cinquenta": 50,
        "sessenta": 60,
        "setenta": 70,
        "oitenta": 80,
        "noventa": 90,
    },
    hundreds={
        "cem": 100,
        "cento": 100,
        "duzentos": 200,
        "trezentos": 300,
        "quatrocentos": 400,
        "quinhentos": 500,
        "seiscentos": 600,
        "setecentos": 700,
        "oitocentos": 800,
        "novecentos": 900,
    },
    join="e",
    tens_need_join=True,
    thousand="mil",
)

WORDS = Language(
    answers=Answers(
        yes=(
            "sim",
            "sim senhor",
            "sim senhora",
            "sim por favor",
            "claro",
            "correto",
            "isso",
            "isso mesmo",
            "está certo",
            "exato",
            "tá bom",
        ),
        no=("não", "não obrigado", "não obrigada", "incorreto", "de jeito nenhum", "errado", "não está certo"),
        digits=(
            ("zero",),
            ("um",),
            ("dois",),
            ("três",),
            ("quatro",),
            ("cinco",),
            ("seis", "meia"),
            ("sete",),
            ("oito",),
            ("nove",),
        ),
        ordinals=(
            ("a primeira", "o primeiro", "primeira opção"),
            ("a segunda", "o segundo", "segunda opção"),
            ("a terceira", "o terceiro", "terceira opção"),
            ("a quarta", "o quarto", "quarta opção"),
            ("a quinta", "o quinto", "quinta opção"),
        ),
        operator=(
            "atendente",
            "falar com um atendente",
            "falar com uma pessoa",
            "quero falar com alguém",
            "falar com um humano",
        ),
        repeat=("repetir", "repita por favor", "de novo", "como", "não entendi", "pode repetir"),
        back=("voltar", "para trás"),
        slower=("mais devagar", "mais lento"),
        language=("outro idioma", "mudar de idioma", "outra língua"),
        urgent=(
            "é uma emergência",
            "estou com dor no peito",
            "não consigo respirar",
            "estou sangrando muito",
            "quero morrer",
            "está inconsciente",
        ),
        not_urgent=(
            "não é uma emergência",
            "não estou com dor no peito",
            "consigo respirar bem",
            "não estou sangrando",
            "não quero morrer",
        ),
    ),
    red_flags=AlarmWords(
        flags={
            "chest pain": r"\b(dor(es)?|doi|doendo|doeu|pontadas?|queima\w+|aperto|apertando|apertad\w+|pressao|peso)"
            rf"{BETWEEN}{{0,4}} peito"
            r"|\bpeito (?!nao\b)((esta|ta|me|muito|ainda|ja|continua) ){0,3}(doi|doendo|apertad\w+|apertando)"
            r"|\binfart\w+|\bataque (do|de) coracao|\bataque cardiaco|\bparada cardiaca",
            "breathing": r"\bnao (\w+ ){0,2}(consig\w+|conseg\w+|posso|pode) (\w+ ){0,2}respirar"
            r"|\bnao (\w+ )?respira(ndo)?\b|\bmal (consig\w+ |conseg\w+ )?respir\w+"
            r"|\bfalta(ndo)?( (muito|muita|o|de|um|pouco)){0,3} ar\b(?! condicionado)"
            r"|\bsem (ar\b(?! condicionado)|folego)|\bsufoc\w+|\bengasg\w+|\bafogando|\basfixi\w+"
            r"|\bdificuldades? (para|pra|de|em) respirar|\bdificuldade respiratoria|\bdificil( de)? respirar"
            r"|\brespira\w* (muito )?(mal|com dificuldade)",
            "bleeding": r"\bsangr(o|a|am|ando|ou|amento|amentos)\b|\bhemorragia|\bmuito sangue"
            r"|\bperd\w+ (muito )?sangue|\bnao para de (sangrar|sair sangue)"
            r"|\b(sai|saindo|saiu|vomit\w+|toss\w+|cusp\w+|urin\w+)( (bastante|um|pouco|de|com)){0,3} sangue",
            "unconscious": r"\binconsciente|\bdesacordad\w+|\bdesmai\w+"
            r"|\bnao (\w+ )?(responde|reage|acorda)\b(?! (o|ao) (telefone|mensagem|email))"
            r"|\bnao (\w+ )?(respondendo|reagindo|acordando)|\bperd\w+ (os sentidos|a consciencia)"
            r"|\b(bebe|nenem|filh[oa]|crianca|mae|pai|marido|espos[oa]) nao (se )?(esta |ta )?(se )?(mex|mov)\w+\b"
            r"(?! (no|na|em) )"
            r"|\bnao (\w+ )?sint\w+ (o|meu) (bebe|nenem)",
            "self-harm": r"\bsuicid\w+|\bme matar|\b(quero|queria|prefiro|preferia) morrer|\bvontade de morrer"
            r"|\btirar (a )?minha (propria )?vida|\bacabar com (a )?minha vida"
            r"|\bnao (\w+ ){0,2}(quero|aguento|vontade de) (mais )?viver|\bsem vontade de viver|\bme machucar"
            r"|\bnao (\w+ ){0,2}quero (mais )?(existir|estar (mais )?(aqui|neste mundo|nesse mundo|viv[oa]))\b"
            r"(?! (esperando|na (fila|espera|linha)))",
            "stroke": r"\bderrame|\bavc\b|\bparalis\w+"
            r"|\bnao (\w+ )?(consegue|conseguindo) falar\b(?! (agora|neste|no|por|com|ao))"
            r"|\bnao (\w+ )?(consigo|consegue|conseguindo) (mexer|mover)"
            r"(?!( \w+){0,2} (consulta|horario|data|carro|aplicativo|celular|site))"
            r"|\bboca (\w+ )?torta|\brosto (\w+ )?(torto|caido|caiu|entortou)|\bfala(ndo)? (enrolad\w+|embolad\w+)"
            rf"|\bnao (\w+ ){{0,2}}(sinto|sente|sentindo) (mais )?(o|a|meu|minha|seu|sua|um|uma) {LIMB}\b"
            r"(?! (inchad|dormente|mal))"
            rf"|\b{LIMB}{BETWEEN}{{0,3}} (dormente|adormecid\w+|anestesiad\w+)|\bdormencia (no|na|em) (\w+ )?{LIMB}\b"
            rf"|\b(nao (\w+ )?tenho|sem|perd\w+( a)?) forcas? (no|na|do|da|em) (\w+ )?{LIMB}\b",
            "emergency": r"\bemergencia|\be urgente|\buma urgencia|(?<!pronto )\bsocorro|\bambulancia|\bconvuls\w+"
            r"|\b(esta|estou|ta|to) morrendo\b(?! de (vontade|fome|sede))|\benvenen\w+",
            "allergy": r"\banafila\w+"
            r"|\b(reac(ao|oes) alergicas?|alergia (muito )?(grave|forte|severa))\b"
            r"(?!( \w+){0,4} (ha|atras|ano passado|quando era|antes|uma vez)\b)"
            r"|\b(garganta|lingua|rosto|cara|labios?|boca) ((esta|estao|ta|tao|me|ja|toda) ){0,2}"
            r"(fech(ando|ou)|inch(ando|ou|aram)|trancando)\b|\b(lingua|labios?) (\w+ ){0,2}inchad\w+"
            r"|\b(fechando|fechou|inchando|inchou) (a |minha )(garganta|lingua|cara)"
            r"|\binchaco (na|no|nos|da|do|dos) (garganta|lingua|rosto|labios)|\burticaria (no|pelo) corpo",
            "newborn fever": rf"\b{BABY}{BETWEEN}{{0,5}} (febre|febril|temperatura alta)\b"
            rf"|\bfebre{BETWEEN}{{0,3}} {BABY}\b",
            "overdose": r"\boverdose|\bsuperdos\w+"
            rf"|{TOOK}( \w+)? (tod[oa]s (os|as)( meus| minhas)?|[2-9]\d|\d{{3}}|vinte|trinta|quarenta|cinquenta|cem)"
            rf" {PILLS}\b(?!{PRESCRIBED})"
            rf"|{TOOK}( \w+)? (muit[oa]s|um monte de|uma porcao de|um punhado de) {MEDICINE}\b"
            rf"|{TOOK}( \w+)? ({MEDICINE} demais|o dobro d\w+)"
            rf"|{TOOK}( \w+)? (a|o|uma|um) (cartela|caixa|frasco|vidro) (inteir[oa]|tod[oa]|de {PILLS})",
        },
        denied=r"\b(nao|nunca|nem|sem|tampouco|nenhuma?)( (me|e|ha|tenho|tem|sinto|estou|esta|to|ta|estava|tive|teve"
        r"|houve|senti|sentindo|sentido|agora|com|uma|um|a|o|nenhuma|nenhum|nada de|mais))*$",
    ),
    dates=Dates(
        months=MONTHS,
        weekdays=WEEKDAYS,
        near=NEAR,
        past={"ontem": 1, "anteontem": 2, "antes de ontem": 2},
        units=UNITS,
        parts={
            Part.MORNING: r"\b(de|da|pela|na|a|esta) manha\b|\bcedo\b|\bantes do meio dia\b",
            Part.AFTERNOON: r"\b(de|da|pela|na|a|esta) tarde\b|\bdepois do (meio dia|almoco)\b",
            Part.EVENING: r"\b(de|da|pela|na|a|esta) noite\b",
        },
        days=(
            rf"\b(?P<day>\d{{1,2}}) (de )?(?P<month>{one_of(MONTHS)})( (de|do ano de) (?P<year>\d{{4}}))?\b",
            r"\b(?P<day>\d{1,2})/(?P<month>\d{1,2})(/(?P<year>\d{4}))?\b",
            r"\b(?P<day>\d{1,2}) d[oe] (?P<nextmonth>(mes (que vem|seguinte)|proximo mes))\b",
            r"\b(?P<day>\d{1,2}) (deste|desse) mes\b",
            r"\b(?P<day>\d{1,2}) do (?P<month>\d{1,2})\b",
            r"\b(?P<near>hoje a (8|15))( dias)?\b",
            rf"\b(?P<weekday>{one_of(WEEKDAYS)}) (da |na )?{LATER}\b",
            rf"\b{LATER} (na |no )?(?P<weekday>{one_of(WEEKDAYS)})\b",
            rf"\b(?P<this>(nesta|nesse|esta|este|essa|esse)) (?P<weekday>{one_of(WEEKDAYS)})\b"
            r"(?! (que vem|proxim[ao]))",
            rf"\b(proxim[ao] )?(?P<weekday>{one_of(WEEKDAYS)})( (que vem|proxim[ao]))?\b",
            rf"\b(daqui( a)?|em|dentro de) (?P<ahead>\d{{1,2}}) (?P<unit>{one_of(UNITS)})\b",
            r"\b(?P<near>hoje|depois de amanha|amanha)\b",
            r"\bdia (?P<day>\d{1,2})\b|^(?P<alone>\d{1,2})\b(?! (dia|dias|semana))",
        ),
        earliest=r"\bquanto antes\b|\bo mais (cedo|rapido|breve)( possivel)?\b|\bassim que (for )?possivel"
        r"|\bo (1|primeiro) (horario |dia )?(livre|disponivel|que houver)\b",
        births=(
            rf"\b(?P<day>\d{{1,2}}) (de )?(?P<month>{one_of(MONTHS)}) (de )?(?P<year>\d{{4}}|\d{{2}})\b",
            r"\b(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})\b",
            r"\b(?P<day>\d{1,2}) (do )?(?P<month>\d{1,2}) (de )?(?P<year>\d{4})\b",
        ),
        refused=r"\b(nao|nunca|nem|tampouco|exceto|salvo|impossivel|ocupad[oa]|em vez de|ao inves d[eoa]|menos|fora)\b",
        left_over=r"\b\d+ (dias?|semanas?|mes(es)?)\b|\bdaqui\b|\ba (8|15)\b"
        r"|\b(depois|antes|a partir|desde|ate)( d?[aeo])? \|",
        misheard=r"\b\d{1,2} de (?!manha\b)",
    ),
    amounts=Amounts(
        half=r"\b([0-9]+)( [a-z]+)? e mei[oa]\b",
        left_over=r"\bmeios?\b|\be meias?\b|\b[13] quartos?\b|\b(milha(o|r)|milh(o|ar)es|duzias?|virgula)\b"
        r"|\babaixo de 0\b|\b[0-9]+ (e|a|ou) [0-9]"
        r"|\b(entre|(menos|mais) (de|que|do que)|pelo menos|no (maximo|minimo)|ate|quase)\b",
        thousands=".",
    ),
    voicemail=r"\b(deixe|grave)( \w+){0,3} (recado|mensagem|nome)|\bcaixa postal|\bcorreio de voz"
    r"|\bapos o (sinal|bip|tom)|\bdesligado ou fora|\b(voce|voces) ligou para|\bnumero chamado|\bsendo encaminhad\w+",
    numerals=NUMBERS.numerals,
    join="e",
    also_digits={"meia": "6"},
    twice={},
)
