"""How units of measured values are said, by UCUM code or usual sign. One that is not here is said as written."""

from __future__ import annotations

from collections.abc import Mapping

_CELSIUS = {
    "en": "degrees Celsius",
    "es": "grados centígrados",
    "pt-BR": "graus Celsius",
    "zh-CN": "摄氏度",
    "mi": "takiwā Celsius",
}
_MERCURY = {
    "en": "millimetres of mercury",
    "es": "milímetros de mercurio",
    "pt-BR": "milímetros de mercúrio",
    "zh-CN": "毫米汞柱",
    "mi": "mitamano konuoi",
}
_MILLIGRAMS = {
    "en": "milligrams per decilitre",
    "es": "miligramos por decilitro",
    "pt-BR": "miligramas por decilitro",
    "zh-CN": "毫克每分升",
    "mi": "karamano mō ia ritahauru",
}
_MILLIMOLES = {
    "en": "millimoles per litre",
    "es": "milimoles por litro",
    "pt-BR": "milimols por litro",
    "zh-CN": "毫摩尔每升",
    "mi": "mmol mō ia rita",
}
_A_MINUTE = {"en": "per minute", "es": "por minuto", "pt-BR": "por minuto", "zh-CN": "次每分钟", "mi": "mō ia meneti"}

SAID: Mapping[str, Mapping[str, str]] = {
    "°C": _CELSIUS,
    "Cel": _CELSIUS,
    "mmHg": _MERCURY,
    "mm[Hg]": _MERCURY,
    "mg/dL": _MILLIGRAMS,
    "mmol/L": _MILLIMOLES,
    "/min": _A_MINUTE,
    "%": {"en": "percent", "es": "por ciento", "pt-BR": "por cento", "zh-CN": "百分比", "mi": "ōrau"},
    "kg": {"en": "kilograms", "es": "kilos", "pt-BR": "quilos", "zh-CN": "公斤", "mi": "manokaramu"},
    "g": {"en": "grams", "es": "gramos", "pt-BR": "gramas", "zh-CN": "克", "mi": "karamu"},
    "cm": {"en": "centimetres", "es": "centímetros", "pt-BR": "centímetros", "zh-CN": "厘米", "mi": "henemita"},
    "min": {"en": "minutes", "es": "minutos", "pt-BR": "minutos", "zh-CN": "分钟", "mi": "meneti"},
    "h": {"en": "hours", "es": "horas", "pt-BR": "horas", "zh-CN": "小时", "mi": "hāora"},
    "d": {"en": "days", "es": "días", "pt-BR": "dias", "zh-CN": "天", "mi": "rā"},
    "wk": {"en": "weeks", "es": "semanas", "pt-BR": "semanas", "zh-CN": "周", "mi": "wiki"},
    "mo": {"en": "months", "es": "meses", "pt-BR": "meses", "zh-CN": "个月", "mi": "marama"},
    "a": {"en": "years", "es": "años", "pt-BR": "anos", "zh-CN": "年", "mi": "tau"},
}


def said(unit: str, language: str) -> str:
    names = SAID.get(unit, {})
    return names.get(language) or names.get("en") or unit
