"""The console's words, English for now: one place, a module for each subject. All of them are known here, to templates
as `words`."""

from web.words.audit import *  # noqa: F403
from web.words.calls import *  # noqa: F403
from web.words.campaigns import *  # noqa: F403
from web.words.care import *  # noqa: F403
from web.words.channels import *  # noqa: F403
from web.words.followups import *  # noqa: F403
from web.words.prompts import *  # noqa: F403
from web.words.saying import *  # noqa: F403
from web.words.staff import *  # noqa: F403
from web.words.times import *  # noqa: F403
