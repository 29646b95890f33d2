"""What is said and written, one folder a language: how dates, times and numbers are said (`__init__.py`, all of one
shape: `verbalise.Speech`), the sentences (`prompts/`, a file for each dialogue), the text messages.

A new language: copy the nearest folder; CONTRIBUTING has the recipe. What the functions give is spoken inside a
whole sentence, so it begins in small letters and has no full stop.
"""
