"""How dates, times, numbers and telephone numbers are said: one file a language, all of one shape
(`Speech`).

A new language: copy the nearest file, word its functions, add it to `verbalise.SPEECH`, write its table
of examples in tests/test_verbalise.py, add `prompts/<language>.yaml` and `messages/<language>.yaml`. What
comes out is spoken inside a whole sentence, so it begins in small letters and has no full stop.
"""
