"""A `Plan` becomes the files of /etc/asterisk. No telephone logic here: what a call does is in extensions.conf.j2."""

from importlib import resources

from jinja2 import Environment, StrictUndefined

from dialplans.plan import Plan

# Inside Asterisk's root these are fixed; whoever starts it binds the instance's own folders to them.
ASTERISK_HOME = "/hotline"
SPOOL = f"{ASTERISK_HOME}/spool"

_SUFFIX = ".j2"


def render(plan: Plan) -> dict[str, str]:
    """File name (`pjsip.conf`) → text, for every template in this folder. The text holds secrets: write it 0600."""
    environment = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - these are no web pages; Plan refuses what could break a line
    )
    texts: dict[str, str] = {}
    for entry in sorted(resources.files("dialplans").iterdir(), key=lambda found: found.name):
        if entry.name.endswith(_SUFFIX):
            template = environment.from_string(entry.read_text(encoding="utf-8"))
            texts[entry.name.removesuffix(_SUFFIX)] = template.render(plan=plan, home=ASTERISK_HOME, spool=SPOOL)
    return texts
