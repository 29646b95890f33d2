"""Call scripts as data: the wording of prompts and messages by language, questionnaires; and the loader.

A file that is wrong is refused with its name, its line and what is wrong; the others load. Begin with
`wording.py`.
"""
