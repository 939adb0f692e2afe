"""One language for one person: every text in every language, and each reader gets their own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import package
import pytest
from babel import Locale
from bridge import JAMIE, LISTENER, ROBIN, SAM, World

from coupa_core.decide.answers import BARRED, DONE, Outcome
from coupa_core.endings import NEWS, Ending
from coupa_core.history import MadeIn
from coupa_core.model import DocumentKind, Verb
from coupa_core.notice import Style
from coupa_core.notice.catalogue import ICONS, LANGUAGES, MAX_BUTTON, locale_of, plural_of, texts
from coupa_core.notice.fields import HEAD, NAMES
from coupa_core.notice.fields.kinds import label_of

NAMED = "Bestellanforderung 5001, „Laptops“, 1.800,00 USD"
FORMS = ("digest", "list.count", "length.days")
QUOTED = {
    "en": "“x”",
    "de": "„x“",
    "fr": "« x »",
    "es": "«x»",
    "it": "«x»",
    "pt": "“x”",
    "nl": "“x”",
    "pl": "„x”",
    "ja": "「x」",
    "zh": "“x”",
}
"""CLDR's quotation marks; for Dutch the other pair, as the first looks like an apostrophe."""


def forms_of(text: str | dict[str, str]) -> dict[str, str]:
    return text if isinstance(text, dict) else {"": text}


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def every(language: str) -> Iterator[tuple[str, str]]:
    """Return every text of a language, with its key."""
    for key, text in texts(language).items():
        yield from ((key, form) for form in forms_of(text).values())


# ---------------------------------------------------------------------- the catalogue


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_text_of_english_and_no_other(language: str) -> None:
    assert texts(language).keys() == texts("en").keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_loses_a_gap_or_has_another(language: str) -> None:
    english = {key: gaps(next(iter(forms_of(text).values()))) for key, text in texts("en").items()}

    said = [*every(language)]
    assert len(said) >= len(english) > 100
    assert [(key, text) for key, text in said if gaps(text) != english[key]] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_about_many_has_each_plural_form_that_the_language_has(language: str) -> None:
    needed = Locale.parse(language).plural_form.tags | {"other"}
    plurals = {key for key, text in texts("en").items() if isinstance(text, dict)}

    found = {key: set(forms_of(texts(language)[key])) for key in plurals}

    assert {key for key, forms in found.items() if forms != needed} == set()
    assert set(FORMS) <= plurals


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_button_s_label_is_short_enough_for_a_button(language: str) -> None:
    labels = [text for key, text in every(language) if key.startswith("button.")]

    assert len(labels) == len(Verb) + len(["ask"])
    assert all(0 < len(label) <= MAX_BUTTON and not gaps(label) for label in labels)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_is_one_line_without_markup_or_spaces_too_many(language: str) -> None:
    joints = ("comma", "colon", "space", "by", "at", "for", "for.group")
    said = [*every(language)]

    assert len(said) > 100
    assert [key for key, text in said if text != text.strip() and key not in joints] == []
    assert [key for key, text in said if set(text) & set("<>\n\t\u00a0\u202f") or "  " in text] == []


WORDS = {
    "en": ("approv", "reject", "on hold"),
    "de": ("enehmig", "(?:ab|Ab|abge|Abge)lehn", "urück(?:ge|zu)?stell"),
    "fr": ("pprouv", "efus", "en attente"),
    "es": ("prob", "echaz", "en espera"),
    "it": ("pprov", "ifiut", "in attesa"),
    "pt": ("prov", "ejeit", "em espera"),
    "nl": ("oed(?:ge)?keu", "f(?:wijz|gewez)", "an(?:ge)?houden"),
    "pl": ("akcept", "drzuc|drzuć", "strzym"),
    "ja": ("承認", "却下", "保留"),
    "zh": ("批准", "拒绝", "搁置"),
}
"""How the word of each decision is known, however its language bends it."""

SAYING = {
    Verb.APPROVE: ("answer.approved", "closed.approved", "outcome.approved", "answer.full"),
    Verb.REJECT: ("answer.rejected", "closed.rejected", "outcome.rejected"),
    Verb.HOLD: ("answer.held", "closed.on_hold", "closed.held", "error.not_holdable"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_button_and_whatever_is_said_of_it_use_one_word(language: str) -> None:
    wrong = []
    for verb, word in zip(Verb, WORDS[language], strict=True):
        keys = (*SAYING[verb], f"button.{verb}", f"several.{verb}", f"some.{verb}")
        said = [(key, text) for key, text in every(language) if key in keys]
        assert {key for key, _ in said} == set(keys)
        wrong += [each for each in said if not re.search(word, each[1], re.IGNORECASE)]

    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_click_answers_has_the_word_of_the_button_that_was_sent(language: str) -> None:
    world = World(settings=LISTENER)
    world.person(JAMIE, default_locale=language)
    for _ in Verb:
        world.requisition(JAMIE, holdable=True)

    for verb, word, card in zip(Verb, WORDS[language], world.announced(), strict=True):
        call = next(
            json.loads(each.body)
            for each in world.moveworks.front.calls
            if card.slots["action_token"] in each.body.decode()
        )
        answer = world.click(card, JAMIE, verb, reason="x").body["message"]
        assert re.search(word, call["buttons"][verb], re.IGNORECASE)
        assert re.search(word, answer, re.IGNORECASE)


def test_whatever_the_code_asks_for_by_a_value_is_there() -> None:
    nouns = {kind.value for kind in DocumentKind} | {"credit_note"}
    needed = {
        *(f"noun.{noun}" for noun in nouns),
        *(f"head.{noun}" for noun in nouns - {"document"}),
        *(f"bar.{bar}" for bar in BARRED),
        *(f"closed.{ending}" for ending in Ending),
        *(f"outcome.{ending}" for ending in NEWS),
        *(f"{key}.{verb}" for key in ("button", "several", "some") for verb in Verb),
        *(f"answer.{outcome}" for outcome in Outcome if outcome is not Outcome.STEP_UP),
        *(f"answer.{outcome}" for outcome in DONE.values()),
        *(f"history.{place}" for place in MadeIn),
    }

    assert needed <= texts("en").keys()
    assert ICONS.keys() == {kind.value for kind in DocumentKind} == {kind.value for kind in HEAD}


def test_every_field_below_the_first_lines_of_a_card_has_a_label() -> None:
    unlabelled = {"items", "cancels"}  # their values name what they are
    style = Style(language="en")
    below = {(name, kind) for kind, names in NAMES.items() for name in names if name not in HEAD[kind]}

    assert {name for name, _ in below} >= unlabelled
    assert {name for name, kind in below if not label_of(name, kind, style)} == unlabelled, (
        "add the label to coupa_core/notice/labels.json"
    )


def test_no_text_is_there_that_nothing_asks_for() -> None:
    root = Path(__file__).parents[1] / "coupa_core"
    code = "".join(file.read_text("utf-8") for file in root.rglob("*.py"))
    families: tuple[str, ...] = (
        *("noun.", "head.", "bar.", "closed.", "outcome.", "button.", "label.", "term.", "length."),
        *("status.", "answer.", "several.", "some.", "error.", "informed", "escalation", "why."),
    )

    by_value = {f"history.{place}" for place in MadeIn}
    rest = [key for key in texts("en") if not key.startswith(families) and key not in by_value]
    lone = [key for key in rest if f'"{key}"' not in code]

    assert lone == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_others_stand_in_the_language_s_own_quotation_marks(language: str) -> None:
    assert Style(language=language).quote("x") == QUOTED[language]


@pytest.mark.parametrize(
    ("language", "number", "said"),
    [
        ("en", 1, "1 approval is waiting for you in Coupa"),
        ("en", 0, "0 approvals are waiting for you in Coupa"),
        ("en", 1_000, "1,000 approvals are waiting for you in Coupa"),
        ("de", 1, "1 Genehmigung wartet in Coupa auf Sie"),
        ("fr", 0, "0 approbation vous attend dans Coupa"),
        ("fr", 1_000_000, "1 000 000 approbations vous attendent dans Coupa"),
        ("pl", 1, "1 akceptacja czeka na Ciebie w Coupa"),
        ("pl", 3, "3 akceptacje czekają na Ciebie w Coupa"),
        ("pl", 5, "5 akceptacji czeka na Ciebie w Coupa"),
        ("pl", 22, "22 akceptacje czekają na Ciebie w Coupa"),
        ("ja", 3, "Coupaで3件の承認をお待ちしています"),
    ],
)
def test_a_number_of_things_is_said_as_the_grammar_wants_it(language: str, number: int, said: str) -> None:
    assert Style(language=language).say("digest", count=number).replace("\u00a0", " ") == said
    assert plural_of(language, number) in forms_of(texts(language)["digest"])


RANGES = {
    "en": ("{a} to {b}", "from {a}", "until {b}"),
    "de": ("{a} bis {b}", "ab {a}", "bis {b}"),
    "fr": ("du {a} au {b}", "à partir du {a}", "jusqu’au {b}"),
    "es": ("del {a} al {b}", "desde el {a}", "hasta el {b}"),
    "it": ("dal {a} al {b}", "dal {a}", "fino al {b}"),
    "pt": ("de {a} a {b}", "a partir de {a}", "até {b}"),
    "nl": ("{a} t/m {b}", "vanaf {a}", "t/m {b}"),
    "pl": ("od {a} do {b}", "od {a}", "do {b}"),
    "ja": ("{a}\uff5e{b}", "{a}から", "{b}まで"),
    "zh": ("{a} 至 {b}", "{a} 起", "至 {b}"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_range_of_days_is_said_as_the_grammar_wants_it(language: str) -> None:
    style, first, last = Style(language=language), "2026-01-01", "2026-12-31"
    days = {"a": style.day(first), "b": style.day(last)}

    said = (style.span(first, last), style.span(first, None), style.span(None, last))

    assert said == tuple(text.format(**days) for text in RANGES[language])


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("1 to 2", "from 1", "up to 2")),
        ("fr", ("1 à 2", "à partir de 1", "jusqu’à 2")),
        ("it", ("da 1 a 2", "da 1", "fino a 2")),
        ("zh", ("1 至 2", "1 起", "最多 2")),
        ("nl", ("1 tot 2", "vanaf 1", "tot 2")),
    ],
)
def test_a_range_of_amounts_has_texts_of_its_own(language: str, said: tuple[str, str, str]) -> None:
    style = Style(language=language)

    assert (style.between("1", "2"), style.between("1", None), style.between(None, "2")) == said


def test_a_delegate_and_a_member_read_in_japanese_for_whom_they_are_asked() -> None:
    world = World()
    world.person(JAMIE, default_locale="ja")
    world.delegation(ROBIN, JAMIE)
    world.requisition(ROBIN)

    [told] = [each.message for each in world.announced() if each.recipient == JAMIE]

    assert "承認をお願いします（Robin Doeさんの代理）" in told


@pytest.mark.parametrize("name", ["Ann", "ACME"])
def test_a_name_that_begins_with_a_vowel_needs_no_elision_in_french(name: str) -> None:
    every_text = [text.replace("{who}", name) for _, text in every("fr") if "{who}" in text]

    assert not [text for text in every_text if re.search(rf"\b(de|que|le|la|se) {name}", text)]


def test_the_languages_are_packed_with_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "TARGET", tmp_path / "package")
    monkeypatch.setattr(package, "ROOT", Path(__file__).parents[1])
    monkeypatch.setattr(Path, "relative_to", lambda self, _: self)

    package.main()

    packed = (tmp_path / "package" / "coupa_core" / "notice" / "languages").iterdir()
    assert {file.stem for file in packed} == set(LANGUAGES)


@pytest.mark.slow
def test_a_language_is_read_when_it_is_needed_and_not_before() -> None:
    code = (
        "from coupa_core import notice; from coupa_core.notice.catalogue import texts;"
        "print(texts.cache_info().currsize); notice.Style(language='pl').say('open');"
        "print(texts.cache_info().currsize)"
    )

    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert said.stdout.split() == ["0", "1"]


# ---------------------------------------------------------------------- whose language


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("de", "de"),
        ("de-CH", "de_CH"),
        ("en_GB", "en_GB"),
        ("pt-BR", "pt_BR"),
        ("es-419", "es_419"),
        ("zh-CN", "zh_Hans_CN"),
        ("fr-XX", "fr"),
        ("de_DE.UTF-8", "de"),
        ("zh-TW", "it"),
        ("zh_Hant", "it"),
        ("sv", "it"),
        ("xx-YY", "it"),
        ("", "it"),
        ("??", "it"),
    ],
)
def test_a_reader_s_locale_is_taken_as_far_as_there_are_texts_for_it(locale: str, language: str) -> None:
    assert Style(language="it").to(locale).language == language
    assert locale_of("C") is None


def test_a_reader_s_zone_is_that_of_their_address() -> None:
    style = Style(zone="UTC", zone_of=lambda address: f"of {address}")

    assert (style.to("de", JAMIE).zone, style.to("de").zone) == (f"of {JAMIE}", "UTC")
    assert Style(zone="Europe/Berlin").to("de", JAMIE).zone == "Europe/Berlin"


def world_of(language: str, **settings: str) -> World:
    """Return a world whose deployment is Italian, where Jamie and Sam read a language, if any is known."""
    world = World(settings={"NOTICE_LANGUAGE": "it", **settings})
    locale = {"default_locale": language} if language else {}
    world.person(JAMIE, **locale)
    world.person(SAM, **locale)
    return world


STORIES: dict[str, dict[str, Any]] = {
    "fr": {
        "card": "Sam Doe demande : « Laptops », 1\u00a0800,00 USD",
        "refusal": (
            "Demande d’achat 5001 : Veuillez indiquer un motif, pour que le demandeur sache quoi modifier."
        ),
        "answer": (
            "Refusé : Demande d’achat 5001, « Laptops », 1\u00a0800,00 USD. Votre motif est dans Coupa."
        ),
        "again": "Refusé : Demande d’achat 5001. Votre motif est dans Coupa.",
        "outcome": (
            "Votre demande a été refusée par Jamie Doe le 23 nov. 2026 à 09:00 : "
            "Demande d’achat 5001, « Laptops », "
        ),
        "reason": "Motif : Trop cher",
        "list": "2 approbations vous attendent dans Coupa. Total : 3\u00a0600,00 USD.",
        "digest": "2 approbations vous attendent dans Coupa : 3\u00a0600,00 USD",
    },
    "ja": {
        "card": "Sam Doeさんの購買依頼：「Laptops」、USD 1,800.00",
        "refusal": "購買依頼 5001：申請者が何を直せばよいかわかるように、理由を入力してください。",
        "answer": "却下しました：購買依頼 5001、「Laptops」、USD 1,800.00。理由はCoupaに記録されました。",
        "again": "却下しました：購買依頼 5001。理由はCoupaに記録されました。",
        "outcome": (
            "あなたの申請は却下されました（Jamie Doe） 2026/11/23 9:00：購買依頼 5001、「Laptops」、USD "
            "1,800.00"
        ),
        "reason": "理由：Trop cher",
        "list": "Coupaで2件の承認をお待ちしています。合計：USD 3,600.00。",
        "digest": "Coupaで2件の承認をお待ちしています：USD 3,600.00",
    },
    "": {
        "card": "Sam Doe richiede: «Laptops», 1.800,00 USD",
        "refusal": (
            "Richiesta di acquisto 5001: Indichi un motivo, così il richiedente sa che cosa modificare."
        ),
        "answer": (
            "Rifiutato: Richiesta di acquisto 5001, «Laptops», 1.800,00 USD. Il Suo motivo è in Coupa."
        ),
        "again": "Rifiutato: Richiesta di acquisto 5001. Il Suo motivo è in Coupa.",
        "outcome": (
            "La Sua richiesta è stata rifiutata da Jamie Doe il 23 nov 2026 alle "
            "09:00: Richiesta di acquisto 5001, «Laptops», "
        ),
        "reason": "Motivo: Trop cher",
        "list": "2 approvazioni La attendono in Coupa. Totale: 3.600,00 USD.",
        "digest": "2 approvazioni La attendono in Coupa: 3.600,00 USD",
    },
}
"""What one person reads from the card to the digest, by their language; without one, the deployment's."""


@pytest.mark.parametrize("language", STORIES)
def test_a_person_reads_one_language_from_card_to_digest(language: str) -> None:
    told = STORIES[language]
    world = world_of(language, TELL_REQUESTER="on", DIGEST_OVER="2")
    card = world.offer()

    refusal, answer = (
        world.click(card, JAMIE, "reject"),
        world.click(card, JAMIE, "reject", reason="Trop cher"),
    )
    again = world.click(card, JAMIE, "reject", reason="Trop cher")
    [outcome] = world.announced()
    for _ in range(2):
        world.requisition(JAMIE)
    waiting = world.listed(JAMIE).body
    world.change(DIGEST_OVER="1")
    [digest] = world.announced()

    assert told["card"] in card.message
    assert refusal.body["message"] == told["refusal"]
    assert answer.body["message"] == told["answer"]
    assert again.body["message"] == told["again"]
    assert (outcome.recipient, told["outcome"] in outcome.message, told["reason"] in outcome.message) == (
        SAM,
        True,
        True,
    )
    assert waiting["message"] == told["list"]
    assert told["card"] in waiting["approvals"][0]["text"]
    assert told["digest"] in digest.message


def test_two_people_of_one_group_read_their_own_languages() -> None:
    world = World()
    world.person(JAMIE, default_locale="fr")
    world.person(ROBIN, default_locale="ja")
    world.requisition(world.group(JAMIE, ROBIN))

    to_jamie, to_robin = world.announced()

    assert "attend votre approbation (pour Buyers)" in to_jamie.message
    assert "承認をお願いします（Buyersとして）" in to_robin.message


def test_a_decision_that_is_too_late_for_its_turn_is_refused_in_the_person_s_language() -> None:
    world = world_of("de")
    card = world.offer()
    world.coupa.front.fail("answer", status=500, times=20)

    reply = world.click(card, JAMIE)

    assert reply.status == 503
    assert reply.body["message"].startswith(
        "Bestellanforderung 5001: Coupa oder der Speicher dieses Dienstes ist nicht erreichbar"
    )


def test_several_decisions_are_summed_up_in_the_person_s_language() -> None:
    world = world_of("pl")
    for _ in range(3):
        world.requisition(JAMIE)

    reply = world.decide(world.announced(), JAMIE)

    whole = "Wszystko jest już zaakceptowane."
    assert reply.body["message"] == "Zaakceptowano: 3 wnioski."
    assert {each["message"] for each in reply.body["items"]} == {
        f"Zaakceptowano: Wniosek zakupowy {number}, „Laptops”, 1\u00a0800,00 USD. {whole}"
        for number in (5001, 5002, 5003)
    }


# ---------------------------------------------------------------------- one person, one language, at a click


def speaking(locales: dict[str, str], **more: Any) -> World:
    """Return a world in which people read these languages."""
    world = World(**more)
    for address, locale in locales.items():
        world.coupa.world.users.rows[world.person(address)].default_locale = locale
    return world


def test_several_without_tokens_are_summed_up_in_the_language_of_their_answers() -> None:
    world = speaking({JAMIE: "de"}, settings={"ACTION_TOKEN": "off"})
    for _ in range(2):
        world.requisition(JAMIE)
    listed = world.call("list_approvals", headers={"X-Actor-Email": JAMIE}).body["approvals"]

    body = {"decision": "approve", "items": [{"id": each["approval_id"]} for each in listed]}
    said = world.call("decide", headers={"X-Actor-Email": JAMIE}, json=body).body

    assert said["message"] == "Genehmigt: 2 Anträge."
    assert {each["message"].partition(":")[0] for each in said["items"]} == {"Genehmigt"}


@pytest.mark.parametrize("order", [1, -1])
def test_several_of_which_one_has_somebody_elses_button_are_answered_in_the_readers_language(
    order: int,
) -> None:
    world = speaking({JAMIE: "de", ROBIN: "fr"})
    world.requisition(JAMIE)
    world.requisition(ROBIN)

    said = world.decide(world.announced()[::order], JAMIE).body

    assert said["message"] == "Genehmigt: 1 von 2 Anträgen. Nicht von Ihnen entschieden: 1."
    assert sorted(each["message"].partition(" ")[0] for each in said["items"]) == ["Genehmigt:", "Hier"]


@pytest.mark.parametrize(("locale", "begins"), [("de", "Hier wird nicht"), ("", "This is not")])
def test_somebody_elses_button_answers_in_the_language_of_who_presses_it(locale: str, begins: str) -> None:
    world = speaking({JAMIE: locale, ROBIN: "fr"})
    card = world.offer(ROBIN)

    assert world.click(card, JAMIE).body["message"].startswith(begins)


def test_who_presses_somebody_elses_button_and_cannot_be_looked_up_reads_the_deployments_language() -> None:
    world = speaking({JAMIE: "de", ROBIN: "fr"}, settings={"NOTICE_LANGUAGE": "it"})
    card = world.offer(ROBIN)
    world.coupa.front.fail("answer", status=500, path="/api/users", times=None)

    said = world.click(card, JAMIE).body

    assert said["outcome"] == "not_your_approval"
    assert said["message"] == texts("it")["answer.not_your_approval"]


@pytest.mark.parametrize("where", ["header", "body", "query"])
def test_a_token_tells_the_language_of_an_error_wherever_it_stands(where: str) -> None:
    world = speaking({JAMIE: "de"})
    card = world.offer()
    token = card.slots["action_token"]
    given = {
        "header": {"headers": {"X-Actor-Email": JAMIE, "X-Action-Token": token}},
        "body": {"headers": {"X-Actor-Email": JAMIE}, "json": {"action_token": token}},
        "query": {"headers": {"X-Actor-Email": JAMIE}, "query": {"action_token": token}},
    }[where]
    route = {"approval_id": card.slots["approval_id"]}

    replies = [world.call(name, route=route, **given) for name in ("hold", "comment")]

    assert [(each.body["error"], each.body["message"]) for each in replies] == [
        ("not_holdable", f"{NAMED}: {texts('de')['error.not_holdable']}"),
        ("no_comment", texts("de")["error.no_comment"]),
    ]


def test_without_a_token_an_error_is_in_the_language_that_coupa_has_of_the_person() -> None:
    world = speaking({JAMIE: "de"}, settings={"ACTION_TOKEN": "off"})
    approval = world.approval_id(world.requisition(JAMIE))

    headers, route = {"X-Actor-Email": JAMIE}, {"approval_id": str(approval)}
    reply = world.call("hold", headers=headers, route=route)

    assert reply.body["message"] == f"{NAMED}: {texts('de')['error.not_holdable']}"


@pytest.mark.parametrize(
    ("name", "code", "body"),
    [
        ("comment", "comments_off", {"comment": "Why?"}),
        ("get_approval", "not_found", None),
        ("approve", "body_too_large", {"reason": "x" * 40_000}),
    ],
)
def test_an_error_that_a_person_reads_is_in_the_language_of_the_deployment_at_least(
    name: str, code: str, body: Any
) -> None:
    world = World(settings={"NOTICE_LANGUAGE": "fr"})
    card = world.offer()

    reply = world.call(
        name,
        headers={"X-Actor-Email": ROBIN, "X-Action-Token": card.slots["action_token"]},
        route={"approval_id": card.slots["approval_id"]},
        **({"json": body} if body else {}),
    )

    assert (reply.body["error"], reply.body["message"]) == (code, texts("fr")[f"error.{code}"])


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        *(("zh-Hans-CN", "zh"), ("zh_Hans", "zh"), ("zh-CN", "zh"), ("zh-Hant-TW", "fr"), ("zh-TW-x", "fr")),
        *(("plt", "fr"), ("pl-XX", "pl"), ("deu", "fr"), ("dev-DE", "fr"), ("pt-Latn-BR", "pt"), ("", "fr")),
        *(("de-1996", "de"), ("de-DE-1996", "de"), ("-", "fr"), ("_de", "fr")),
    ],
)
def test_a_locale_is_matched_by_whole_subtags(locale: str, language: str) -> None:
    assert Style(language="fr").to(locale).language.partition("_")[0] == language
