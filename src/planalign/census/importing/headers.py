"""What the columns of a file are called, and what that means."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files

# How systems shorten what they call a column; written in full before it is compared.
_IN_FULL = {
    "emp": "employee", "ee": "employee", "empl": "employee", "eeid": "employee id",
    "empid": "employee id", "er": "employer", "co": "company", "prt": "participant",
    "part": "participant", "ptcp": "participant", "no": "number", "nbr": "number",
    "num": "number", "nr": "number", "no.": "number", "dt": "date", "dob": "birth date",
    "doh": "hire date", "dot": "termination date", "dor": "rehire date", "bday": "birth date",
    "bdate": "birth date", "birthdate": "birth date", "birthdt": "birth date",
    "hiredate": "hire date", "termdate": "termination date", "rehiredate": "rehire date",
    "startdate": "start date", "term": "termination", "termed": "terminated",
    "comp": "compensation", "sal": "salary", "dept": "department", "dpt": "department",
    "depart": "department", "div": "division", "hr": "hour", "hrs": "hours", "wk": "week",
    "wkly": "weekly", "std": "standard", "sched": "scheduled", "amt": "amount",
    "pct": "percent", "prct": "percent", "perc": "percent", "percentage": "percent",
    "bal": "balance", "addr": "address", "fname": "first name", "lname": "last name",
    "firstname": "first name", "lastname": "last name", "fullname": "full name",
    "orig": "original", "adj": "adjusted", "yr": "year", "yrs": "years", "freq": "frequency",
    "cd": "code", "desc": "description", "descr": "description", "loc": "location",
    "ann": "annual", "annl": "annual", "annualised": "annualized", "anl": "annual",
    "hrly": "hourly", "stat": "status", "ind": "indicator", "contrib": "contribution",
    "contribs": "contributions", "contr": "contribution", "def": "deferral",
    "defl": "deferral", "ctr": "center", "centre": "center", "pos": "position",
    "pretax": "pretax", "enrol": "enroll", "enrolled": "enrolled", "enrolment": "enrollment",
    "elig": "eligible", "ownr": "owner", "ownshp": "ownership", "empno": "employee number",
    "emplid": "employee id", "employeeid": "employee id", "employeenumber": "employee number",
    "employeeno": "employee number", "jobgrade": "job grade", "paygrade": "pay grade",
    "payrate": "pay rate", "paytype": "pay type", "payfreq": "pay frequency",
    "weeklyhours": "weekly hours", "ytd.": "ytd", "ftes": "fte", "salaried": "salaried",
    "mtch": "match", "matching": "matching", "ps": "profit sharing", "qnec": "nonelective",
    "yeartodate": "ytd", "social": "social", "sec": "security", "ph": "phone",
    "grd": "grade", "lvl": "level", "ssnum": "ssn", "ss": "ssn", "biwkly": "biweekly",
}  # fmt: skip
_PHRASES = (
    (re.compile(r"\byear to date\b"), "ytd"),
    (re.compile(r"\b(401|403) ([kb])\b"), r"\1\2"),
    (re.compile(r"\bjahr bis heute\b"), "ytd"),
    (re.compile(r"\bssn number\b"), "ssn"),
)
# How a second column of the same name is told apart.
_AGAIN = re.compile(r" \(\d\)$")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_YEAR = re.compile(r"\b(19|20)\d\d\b")
# Of people other than the one whose row it is.
_OTHERS = {"spouse", "dependent", "manager", "supervisor", "beneficiary", "emergency", "contact"}
# Signs that say what a number is: units are told apart by them.
_UNITS = {"percent", "dollars"}
# Words beside a name that make no other column of it.
_BESIDE = {"vollzeit", "brutto", "brut", "bruto", "lordo", "current", "eur", "euro", "euros",
           "usd", "gbp", "chf", "cad", "in", "en", "of", "the", "de", "du", "des", "at",
           "information", "info", "field", "data"}  # fmt: skip
# Roles of which a percent sign is a unit.
_OF_A_UNIT = {"fte", "ownership"}
_BALANCES = {"balance", "balances", "account", "accounts", "bal"}


def folded(text: str) -> str:
    """Return a text in lower case and without accents."""
    text = unicodedata.normalize("NFKD", text.replace("ß", "ss").casefold())
    return "".join(letter for letter in text if not unicodedata.combining(letter))


def plain(header: str) -> str:
    """Return a header as it is compared: words in lower case and in full, without signs."""
    header = _AGAIN.sub("", header)
    text = folded(_CAMEL.sub(" ", " ".join(header.split())))
    text = text.replace("%", " percent ").replace("#", " number ").replace("$", " dollars ")
    words = re.findall(r"[^\W_]+", text)
    text = " ".join(_IN_FULL.get(word, word) for word in words)
    for pattern, written in _PHRASES:
        text = pattern.sub(written, text)
    # A unit or a year that is repeated says nothing more.
    return re.sub(r"\b(\w+)( \1\b)+", r"\1", _YEAR.sub("", text)).strip()


@cache
def _phrases() -> dict[str, str]:
    """Return role by phrase."""
    found: dict[str, str] = {}
    role = ""
    text = files(__package__).joinpath("synonyms.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("["):
            role = line.strip("[]")
        elif line and not line.startswith("#"):
            found.setdefault(plain(line), role)
    return found


@cache
def _run_together() -> dict[str, str]:
    """Return role by phrase without blanks, as DATEOFBIRTH is written."""
    phrases = reversed(_phrases().items())
    return {phrase.replace(" ", ""): role for phrase, role in phrases if len(phrase) > 4}


@cache
def _by_words() -> dict[frozenset[str], str]:
    return {frozenset(phrase.split()): role for phrase, role in reversed(_phrases().items())}


def roles_of(header: str) -> list[tuple[str, float, str]]:
    """Return what a header may mean, likeliest first: role, score from 0 to 1, phrase.

    A header that is a phrase of the table is it; one that has the words of a phrase and
    others beside them is less surely so, the less the more others there are.
    """
    text = plain(header)
    if not text:
        return []
    if exact := _phrases().get(text):
        return [(exact, 1.0, text)]
    words = text.split()
    if run_together := _run_together().get(text.replace(" ", "")):
        return [(run_together, 0.97, text)]
    if _OTHERS & set(words):
        return [("other", 0.9, text)]
    unordered = frozenset(words)
    if same := _by_words().get(unordered):
        return [(same, 0.95, text)]
    best: dict[str, tuple[float, str]] = {}
    for phrase, role in _phrases().items():
        known = phrase.split()
        if len(known) >= len(words) + 1 or not known:
            continue
        if not unordered.issuperset(known):
            continue
        if role == "ask" and len(known) == 1:
            # "Date" alone is asked about; beside another word that one says what it is.
            continue
        beside = unordered - set(known)
        if role in _OF_A_UNIT:
            beside -= {"percent"}
        share = len(known) / (len(known) + len(beside - _BESIDE))
        score = 0.45 + 0.5 * share
        if beside & _UNITS and not set(known) & _UNITS:
            # "401k" is dollars and "401k percent" a rate; the unit is not beside the point.
            score -= 0.15 if role.endswith(("dollars", "percent")) else 0.05
        # The head of an English name stands last: "department name" is a name of a kind.
        score += 0.04 if words[-1] == known[-1] else 0.0
        if score > best.get(role, (0.0, ""))[0]:
            best[role] = (score, phrase)
    ranked = sorted(best.items(), key=lambda found: (-found[1][0], found[0]))
    return [(role, round(score, 3), phrase) for role, (score, phrase) in ranked]


def roles_of_column(header: str) -> list[tuple[str, float, str]]:
    """Return what a header may mean; of two rows of it the lower one says what alone.

    Under a group of balances "Pre-Tax" is a balance, and under one of the spouse
    "Birth Date" is nobody's here.
    """
    candidates = roles_of(header)
    group, _, name = header.rpartition(" | ")
    words = set(plain(group).split())
    if not group or words & _OTHERS:
        return candidates
    alone = roles_of(name)
    if words & _BALANCES:
        alone = roles_of(f"{name} balance")
        candidates = [one for one in candidates if one[0] in {"other", "ssn", "pii"}]
    known = {role: (score, phrase) for role, score, phrase in candidates}
    for role, score, phrase in alone:
        if score - 0.05 > known.get(role, (0.0, ""))[0]:
            known[role] = (score - 0.05, phrase)
    ranked = sorted(known.items(), key=lambda found: -found[1][0])
    return [(role, score, phrase) for role, (score, phrase) in ranked]
