"""One file a conversation, straight-line code over `ivr.call.Call`.

A hang-up is `CallerLeft`, which no dialogue catches; what was decided before it stands."""
