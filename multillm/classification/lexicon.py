"""Which verbs and nouns speak for which task type: general English, not taken from any data set."""

from __future__ import annotations

from multillm.tasks import TaskType

__all__ = ["NOUN_TYPES", "VERB_TYPES"]

VERBS: dict[TaskType, str] = {
    TaskType.DOCUMENTATION: "document annotate comment describe explain teach note record",
    TaskType.CODE_GENERATION: """
        implement code program refactor build patch fix repair port deploy configure debug migrate script hook
        containerise containerize dockerise dockerize parse scrape automate integrate compile vectorise
        vectorize reimplement optimise optimize load plot group select rename seed simulate animate set upgrade
        unit-test mock add replace harden create generate develop scaffold speed package transpile instrument
        correct sort round filter""",
    TaskType.CODE_REVIEW: """
        review audit critique check inspect assess proof-check fact-check double-check mark spot judge vet
        challenge examine grade find flag""",
    TaskType.REASONING: """
        compare evaluate decide choose recommend derive prove solve calculate compute estimate plan design
        diagnose analyse analyze weigh work figure argue justify determine rank prioritise prioritize predict
        forecast integrate simplify differentiate factorise factorize advise investigate identify troubleshoot
        propose suggest outline optimise optimize divide convert size assess adjust balance show reconstruct
        scale allocate value infer deduce discuss pick budget find lay strategise strategize contrast map model
        test""",
    TaskType.QA_SIMPLE: "define name list tell state recall who what when where which whats what's",
    TaskType.SUMMARISATION: """
        summarise summarize condense shorten recap abridge digest boil sum tldr tl;dr brief cut trim gist distil
        distill compress""",
    TaskType.OTHER: """
        translate rewrite rephrase reword paraphrase transcribe extract pull compose invent imagine pretend
        greet play act roleplay role-play proofread edit localise localize polish continue brainstorm sing
        recite congratulate thank turn make sort classify draft rearrange subtitle render format transliterate
        categorise categorize tag label collect suggest come rename""",
}
NOUNS: dict[TaskType, str] = {
    TaskType.DOCUMENTATION: """
        documentation docs readme docstring docstrings guide manual reference tutorial faq changelog glossary
        handbook policy instructions runbook kdoc javadoc comments comment leaflet procedure protocol notes wiki
        page how-to walkthrough specification dictionary onboarding article help-text write-up report legend
        definition process briefing terms""",
    TaskType.CODE_GENERATION: """
        function script code class endpoint middleware query regex macro module program app application service
        component hook api sql python javascript typescript java rust golang bash shell html css dockerfile yaml
        json manifest playbook workflow pipeline test tests parser decorator schema migration cli tool command
        formula spreadsheet excel snippet bot plugin extension shader game algorithm implementation handler
        controller fixture config configuration crontab cron terraform operator lambda method one-liner stub
        daemon library package codemod form widget page scraper trigger procedure index job crawler loop vba
        latex matplotlib pandas react vue django flask fastapi kotlin swift regexp repl tokenizer interpreter
        manager c c++ ruby php perl haskell scala""",
    TaskType.CODE_REVIEW: """
        bug bugs vulnerability vulnerabilities flaw flaws weakness weaknesses pr diff mistake mistakes audit
        review feedback errors injection leak leaks smell smells holes blind-spots critique security thoughts
        overflow exploitable""",
    TaskType.REASONING: """
        plan strategy trade-off trade-offs pros cons decision options cause causes reason reasons proof theorem
        probability architecture comparison budget schedule risk risks estimate calculation equation
        recommendation percentage best cheapest better worth whether roadmap likely odds interest total""",
    TaskType.QA_SIMPLE: "meaning difference capital year name definition port",
    TaskType.SUMMARISATION: """
        summary tldr tl;dr overview gist recap abstract digest bullets brief synopsis nutshell takeaway
        takeaways highlights upshot main-points key-points sentence""",
    TaskType.OTHER: """
        poem story haiku limerick song lyrics email letter message joke slogan tweet caption headline headlines
        title titles name names toast speech card dialogue scene paragraph post ad advert advertisement blurb
        translation french german spanish italian polish japanese chinese portuguese dutch greek arabic russian
        english recipe quiz questions exercises flashcards checklist reply eulogy obituary monologue bio cover
        play novel tale diary invitation review-reply listing copy hashtags synonyms list timeline addresses
        dates sonnet ballad rap script rhyme tagline newsletter announcement excuse compliment pun riddle
        character minutes""",
}


def _by_word(table: dict[TaskType, str]) -> dict[str, tuple[TaskType, ...]]:
    words = {word for listed in table.values() for word in listed.split()}
    return {word: tuple(kind for kind, listed in table.items() if word in listed.split()) for word in words}


VERB_TYPES = _by_word(VERBS)
"""Task types that a request's verb speaks for."""

NOUN_TYPES = _by_word(NOUNS)
"""Task types that a noun of a request speaks for."""
