"""Forty wrong settings, each with its exact error: the fault, and the right form."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_settings import BARE, KEY, LEAST, OTHER, PREFIXES, TAKEN, complaints

from coupa_core import misspelt
from coupa_core.doctor.checks import rates
from coupa_core.errors import SettingsError
from coupa_core.misspelt import meant
from coupa_core.settings import FORMER, GUARDED, NAMES, former, read_settings

ROOT = Path(__file__).resolve().parents[1]


def other_name(right: str) -> str:
    return f"is no setting: did you mean {right}? Where it belongs to something else, set {right}, too"


def forty() -> list[tuple[str, str, str]]:
    """Return name, value and sentence of each wrong setting in the table."""
    text = (ROOT / "tests" / "samples" / "wrong_settings.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines()[1:]]
    return [(name, value.replace("{KEY}", KEY).replace("{OTHER}", OTHER), said) for name, value, said in rows]


@pytest.mark.parametrize(("name", "value", "said"), forty())
def test_a_wrong_setting_is_said_in_just_these_words(name: str, value: str, said: str) -> None:
    of_listener = BARE | {"MOVEWORKS_LISTENER_SECRET": "a secret"}
    given = of_listener if name == "MOVEWORKS_LISTENER_ID" else LEAST

    assert complaints(given | {name: value}) == {name: said}


def test_there_are_forty_and_none_shows_what_was_set() -> None:
    assert len(forty()) >= 40
    for name, value, said in forty():
        shown = [part for part in re.split(r"[,;:=\s\"]+", value) if len(part) > 8 and part in said]
        # An example may be what was set, or a part of it.
        assert name not in ("COUPA_CLIENT_SECRET", "ACTION_TOKEN_KEYS", "AUDIT_KEYS") or shown == [], name


def test_no_sentence_is_one_of_the_library_that_checks() -> None:
    said: list[str] = []
    for name in NAMES:
        for value in ("\u00bf", "-1", "1e9999", "nan", "{}", "x" * 500):
            try:
                read_settings(LEAST | {name: value})
            except SettingsError as error:
                said.append(str(error))

    assert len(said) > 100
    assert [
        each for each in said if re.search(r"Input should|String should|valid (integer|number)", each)
    ] == []


# ---------------------------------------------------------------------- names


@pytest.mark.slow
@given(st.sampled_from([name for name in NAMES if len(name) > 10]), st.data())
def test_a_letter_too_few_or_two_that_are_swapped_is_seen_in_every_longer_name(
    name: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(1, len(name) - 2))
    for wrong in (
        name[:place] + name[place + 1 :],
        name[:place] + name[place + 1] + name[place] + name[place + 2 :],
        name.lower(),
        name.replace("_", ""),
        f"{name}S",
    ):
        if wrong not in NAMES:
            assert meant(wrong, NAMES) != "", wrong


@pytest.mark.slow
@pytest.mark.parametrize("name", ["PILOT", "DRY_RUN", "ACTIONS"])
def test_one_wrong_letter_is_seen_in_each_short_name_that_holds_something_back(name: str) -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0"
    wrong = {name[:at] + name[at + 1 :] for at in range(1, len(name))}
    wrong |= {name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in range(len(name) - 1)}
    wrong |= {
        name[:at] + each + name[at + over :]
        for at in range(1, len(name))
        for each in letters
        for over in (0, 1)
    }
    wrong |= {f"{name}{each}" for each in letters} | {name.lower()}

    assert {
        each for each in wrong - {name} if complaints(LEAST | {each: "x"}) != {each: other_name(name)}
    } == set()


def deployment() -> set[str]:
    """Return the variables that the templates read from an engineer's shell."""
    texts = [path.read_text("utf-8") for path in (ROOT / "infra").glob("*.*param*")]
    found = {name for text in texts for name in re.findall(r"\$\{([A-Z_]+)[}=]", text)}
    return found | {
        name for text in texts for name in re.findall(r"readEnvironmentVariable\('([A-Z_]+)'", text)
    }


OTHERS = {
    *("DELAY", "AUDITD", "FACTORY", "TIME", "HOST", "DIGEST", "SCHEDULE", "LEDGER"),
    *("TZ", "FIRST", "DRYRUN_X", "RELAYS_X", "AZUREWEBJOBSSTORAGE", "GITHUB_ACTION", "ACTIONS_RUNTIME_TOKEN"),
    *("WEBSITE_TIME_ZONE", "HTTPS_PROXY", "no_proxy", "DATABASE_URL", "API_KEY", "BASE_URL", "CLIENT_SECRET"),
    *("TEST_CLIENT_ID", "MAX_PER_SECOND", "QUIET", "ACCOUNT_URL", "COUPA", "MOVEWORKS", "STEP", "EMAIL"),
}


def test_variables_of_other_systems_and_of_the_deployment_are_no_mistake() -> None:
    names = {*TAKEN, *OTHERS, *deployment(), *(f"{prefix}X" for prefix in PREFIXES)} - {*NAMES, *FORMER}
    more = {"SELECTED_ID", "DECISIONS_KEY", "RELAY_KEY", "OPERATORS_KEY", "ALERT_EMAIL"}

    read_settings(dict.fromkeys(names | more, "5") | LEAST)


def test_a_name_that_is_nearly_ours_is_let_be_where_ours_is_set_too_or_where_it_is_blank() -> None:
    read_settings(LEAST | {"TIMEZONE": "CET", "TIME_ZONE": "Europe/Berlin"})
    read_settings(LEAST | {"TIMEZONE": " "})
    assert complaints(LEAST | {"TIMEZONE": "CET", "TIME_ZONE": " "}) == {"TIMEZONE": other_name("TIME_ZONE")}


def test_a_name_that_is_near_to_two_is_taken_for_the_nearest() -> None:
    assert doctest.testmod(misspelt).failed == 0
    assert doctest.testmod(former).failed == 0
    assert complaints(LEAST | {"TIME_ZONE": "Europe/Berlin", "TIMEZONES": "{}"}) == {
        "TIMEZONES": other_name("TIME_ZONES")
    }


def test_the_page_says_which_names_are_noticed() -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    pairs = re.findall(r"`(\w+)` for `(\w+)`", page)
    [guarded] = re.findall(r"In (.*), one wrong letter counts although the names are short", page)
    [(short, unseen)] = re.findall(r"a wrong letter in the short names (.*) \(`(\w+)`\)", page)
    names = re.findall(r"`(\w+)`", guarded + short)

    assert len(pairs) == 2
    assert [meant(wrong, NAMES) for wrong, _ in pairs] == [right for _, right in pairs]
    assert set(names) == {name for name in NAMES if len(name.replace("_", "")) <= 7}
    assert set(re.findall(r"`(\w+)`", guarded)) == set(GUARDED)
    assert meant(unseen, NAMES, guarded=GUARDED) == ""


def test_what_is_no_name_of_a_variable_is_not_repeated() -> None:
    read_settings(
        LEAST | {"REMIND_AFTER_HOUR\n": "1", "REMIND_AFTER_HOUR; rm": "1", "REMIND_AFTER_HOU\u0155": "1"}
    )


# ---------------------------------------------------------------------- what only the doctor says


@pytest.mark.parametrize(
    ("given", "is_noted"),
    [
        ({"MOVEWORKS_MAX_PER_MINUTE": "500"}, True),
        ({"MOVEWORKS_MAX_PER_MINUTE": "120"}, False),
        ({"MOVEWORKS_MAX_PER_MINUTE": "110", "RELAY_DOMAINS": "x.test"}, True),
        ({"MOVEWORKS_MAX_PER_MINUTE": "110"}, False),
    ],
)
def test_a_rate_above_moveworks_own_is_named_by_the_doctor(given: dict[str, str], is_noted: bool) -> None:  # noqa: FBT001
    found = [str(each) for each in rates(read_settings(LEAST | given))]

    sentence = (
        "note  MOVEWORKS_MAX_PER_MINUTE: is above the 120 that Moveworks takes in a minute for the whole "
        "organisation, counting RELAY_MAX_PER_MINUTE: lower it to 100, unless Moveworks' support has agreed "
        "to more"
    )
    assert found == ([sentence] if is_noted else [])
