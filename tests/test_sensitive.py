"""A setting keeps documents out of chat: no message of any kind holds a word of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from bridge import JAMIE, ROBIN, SAM, World
from goldens import RECORDS, WHEN, approval
from hypothesis import given
from hypothesis import strategies as st

from coupa_core.authority import Capacity, Decider, EmailMap, Limits, Right, Rules, TokenKeys
from coupa_core.content import content_hash as content_of
from coupa_core.coupa.fields import DOCUMENT_FIELDS
from coupa_core.decide.answers import AnswerWriter, Outcome
from coupa_core.documents import DOCUMENT_MODELS, parse_document
from coupa_core.endings import End, Ending
from coupa_core.endpoints import Reply
from coupa_core.model import Approval, Bar, Comment, Document, DocumentKind, Unreadable, Verb
from coupa_core.notice import (
    ApprovalRequest,
    Ended,
    QuestionItem,
    Style,
    WaitingItem,
    closing,
    compose,
    digest,
    escalation,
    outcome,
    question,
    shown_figures,
    sums,
)
from coupa_core.notice.catalogue import LANGUAGES
from coupa_core.sensitive import NAMES, OF_DOCUMENT, OF_LINE, Sensitive, read_sensitive
from sandbox.coupa.world import Line
from sandbox.moveworks import Delivered

BOSS = "boss@example.com"
KEYS = TokenKeys({"k": b"x" * 32})
WORD, NUMBER, YEAR = "Canary", "77777.77", "2031"
OURS = {"status", "submitted-at", "updated-at", "parallel-group-name"}
"""What is no text of anybody, or says only since when it waits."""


def marked(value: Any, name: str = "") -> Any:
    """Return a record in which every text, amount and day can be found again."""
    if isinstance(value, dict):
        return {key: marked(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [marked(each, name) for each in value]
    if not isinstance(value, str) or name in OURS or not value:
        return value
    if re.fullmatch(r"[0-9]+[.][0-9]+", value):
        return NUMBER
    if re.match(r"20[0-9]{2}-", value):
        return f"{YEAR}{value[4:]}"
    return f"{WORD} {name}"


MARKED = {kind: marked(record) for kind, record in RECORDS.items()}
ASKED = approval(approver={"name": f"{WORD} group", "id": 5}, approver_type="ApprovalGroup", note=WORD)
ANSWER = Comment.model_validate(
    {"id": 9, "comments": f"{WORD} because", "created-by": {"id": 3, "fullname": f"{WORD} requester"}}
)
ASKS = Comment.model_validate(
    {"id": 8, "comments": f"@[User:3] Kim Park <kim@x.test> via Moveworks: {WORD}?"}
)
FIELDS = {
    "commodities": ("commodity",),
    "suppliers": ("supplier",),
    "departments": ("department",),
    "accounts": ("account", "account_allocations"),
}
WAYS = [
    (kind, name)
    for kind, source in DOCUMENT_MODELS.items()
    for name in NAMES
    if name == "groups"
    or set(FIELDS[name]) & {*OF_DOCUMENT.get(source.kind, ()), *OF_LINE.get(source.kind, ())}
]
LABELS = {
    "commodities": "name",
    "suppliers": "name",
    "departments": "name",
    "accounts": "code",
    "groups": "name",
}

RANDOM = re.compile(r"\b[0-9a-f]{32,}\b")
"""A nonce or a hash, which may hold any digits."""


def is_leaked(text: str) -> bool:
    """Tell whether a text holds a word, an amount or a day of a marked record."""
    text = RANDOM.sub("", text)
    return WORD.casefold() in text.casefold() or "77777" in re.sub(r"[^0-9]", "", text) or YEAR in text


def read(kind: str, **more: Any) -> Document:
    """Return the marked document of a type, with other values in some fields."""
    document = parse_document(kind, MARKED[kind] | {key.replace("_", "-"): more[key] for key in more})
    assert document is not None
    return document


def redacted(kind: str, name: str, spelt: str = "") -> Document:
    """Return the marked document as chat may know it where one way names it."""
    return Sensitive({name: [spelt or f"{WORD} {LABELS[name]}"]}).redact(read(kind))


def everything_said(document: Document, approval_of: Approval, style: Style, before: str) -> list[str]:
    """Return all that anybody is told of a document, whatever happens to it."""
    reader = Decider("user:42", JAMIE, "Jamie Lee", "", Capacity.MEMBER)
    right = Rules(actions=tuple(Verb), limits=Limits(), emails=EmailMap(), allow_self=False)
    allowed = right.right(reader, approval_of, document)
    turn = ApprovalRequest(approval=approval_of, document=document, right=allowed)
    turns = [
        turn,
        replace(turn, is_changed=True, shown=before),
        replace(turn, waited=timedelta(days=3)),
        replace(turn, is_listed=True),
        replace(turn, is_short=True),
        replace(turn, is_unread=True),
        replace(turn, right=Right(reader, tuple(Verb))),
        replace(turn, answers=(ANSWER,)),
        replace(turn, answers=(ANSWER,), is_short=True),
        *(replace(turn, right=Right(reader, bar=bar)) for bar in Bar if bar is not Bar.SHARED),
    ]
    cards = [compose(each, style=style, keys=KEYS, now=WHEN) for each in turns]
    waiting = WaitingItem(document, WHEN - timedelta(days=3), approval_of)
    ends = [Ended(document, End(ending, "Kim Park", WHEN, f"{WORD} words")) for ending in Ending]
    news = [each for each in ends if style.has(f"outcome.{each.end.ending}")]
    asks = QuestionItem(document, ASKS)
    speaker = AnswerWriter(style, approval_of, document)
    return [
        *(each.text for each in cards),
        *(json.dumps([*each.slots.values(), each.document_type, *each.actions]) for each in cards),
        *(digest([waiting] * number, style=style, now=WHEN) for number in (1, 3)),
        *(escalation([waiting] * number, style=style, now=WHEN) for number in (1, 3)),
        *(closing([each], style=style) for each in ends),
        closing(ends, style=style),
        *(outcome([each], style=style) for each in news),
        outcome(news, style=style),
        *(question([asks] * number, style=style) for number in (1, 3)),
        *(speaker.answer(each, how="", words="", length="1", room="1").message for each in ANSWERS),
        *(speaker.over(each.end).message for each in ends),
        shown_figures(document),
        sums([document], style, number=1),
    ]


ANSWERS = [each for each in Outcome if each is not Outcome.STEP_UP]


@given(
    way=st.sampled_from(WAYS),
    spelling=st.sampled_from([str, str.upper, str.lower, " {} ".format, lambda text: f"{text[:9]}*"]),
    language=st.sampled_from(LANGUAGES),
)
def test_no_message_holds_a_word_of_what_is_named(way: tuple[str, str], spelling: Any, language: str) -> None:
    kind, name = way
    document = redacted(kind, name, spelling(f"{WORD} {LABELS[name]}"))
    style = Style(base_url="https://acme.coupahost.com", language=language)

    said = everything_said(document, ASKED, style, before=shown_figures(read(kind)))

    assert document.is_sensitive
    assert [text for text in said if is_leaked(text)] == []


@pytest.mark.parametrize("kind", DOCUMENT_MODELS)
def test_the_property_would_find_a_leak(kind: str) -> None:
    said = everything_said(read(kind), ASKED, Style(), before=shown_figures(read(kind)))

    assert len([text for text in said if is_leaked(text)]) > len(said) / 3


@pytest.mark.parametrize("kind", DOCUMENT_MODELS)
def test_what_is_not_named_is_as_it_was(kind: str) -> None:
    document = read(kind)
    names = [name for name in NAMES if name != "groups" or kind != "Contract"]
    others = Sensitive({name: ["Something else", "Canar", "anary*"] for name in names})

    assert others.redact(document) is document
    assert Sensitive().redact(document) is document


@pytest.mark.parametrize(("kind", "name"), WAYS)
def test_a_card_says_that_it_waits_and_where_and_offers_nothing(kind: str, name: str) -> None:
    document = redacted(kind, name)
    rules = Rules(actions=tuple(Verb), limits=Limits(), emails=EmailMap(), allow_self=False)
    reader = Decider("user:7", JAMIE, "Jamie Lee", "", Capacity.APPROVER)

    right = rules.right(reader, approval(), document)
    card = compose(
        ApprovalRequest(approval=approval(), document=document, right=right),
        style=Style(base_url="https://acme.coupahost.com"),
        keys=KEYS,
        now=WHEN,
    )
    head, why, link = card.text.split("<br>")

    assert right.bar is Bar.SENSITIVE
    assert head.endswith(" 14170 needs your approval</b>")
    assert why == "This is neither shown nor decided in chat; please open it in Coupa."
    assert link.endswith(">Open in Coupa</a>")
    assert card.actions == {}
    offer = KEYS.verify(card.slots["action_token"])
    assert offer is not None
    assert offer.content == ""


@pytest.mark.parametrize("kind", DOCUMENT_MODELS)
def test_a_veil_leaves_turn_state_and_whose_it_is(kind: str) -> None:
    document = redacted(kind, "groups")
    whole = read(kind)

    assert document.awaits(853) is whole.awaits(853) is True
    assert (document.status, document.updated_at) == (whole.status, whole.updated_at)
    assert [each.id for each in document.askers] == [each.id for each in whole.askers]
    assert document.redacted() == document


def test_a_change_of_what_is_hidden_is_no_news() -> None:
    secret = Sensitive({"departments": [f"{WORD} name"]})

    before, after = (secret.redact(read("RequisitionHeader", total=total)) for total in ("1.00", "2.00"))

    assert content_of(before) == content_of(after)


LINES = {
    "RequisitionHeader": "requisition-lines",
    "ExpenseReport": "expense-lines",
    "InvoiceHeader": "invoice-lines",
    "OrderHeaderChange": "order-line-changes",
}
ODD = ["IT", 7, {}, {"id": 9}, [], True]


@pytest.mark.parametrize(("kind", "name"), [way for way in WAYS if way[1] != "groups"])
def test_what_coupa_does_not_say_or_not_readably_counts_as_named(kind: str, name: str) -> None:
    """An instance that leaves a field out must not show what it was to hide."""
    other = Sensitive({name: ["Something else"]})
    source = DOCUMENT_MODELS[kind]
    assert set(FIELDS[name]) & {*OF_DOCUMENT.get(source.kind, ()), *OF_LINE.get(source.kind, ())}
    for field in FIELDS[name]:
        key = field.replace("_", "-")
        for odd in ODD if field != "account_allocations" else [["IT"], [{}], "IT", {}]:
            if field in OF_DOCUMENT.get(source.kind, ()):
                assert other.redact(read(kind, **{field: odd})).is_sensitive, odd
            if field in OF_LINE.get(source.kind, ()):
                line = MARKED[kind][LINES[kind]][0]
                assert other.redact(read(kind, **{LINES[kind]: [line | {key: odd}]})).is_sensitive, odd
        bare = {each: value for each, value in MARKED[kind].items() if each != key}
        if kind in LINES:
            first = {each: value for each, value in bare[LINES[kind]][0].items() if each != key}
            bare |= {LINES[kind]: [first]}
        unsaid = parse_document(kind, bare)
        assert unsaid is not None
        assert other.redact(unsaid).is_sensitive


@pytest.mark.parametrize("name", [name for name in NAMES if name != "groups"])
def test_a_line_that_did_not_come_may_be_of_whatever_is_named(name: str) -> None:
    cut = read("RequisitionHeader", line_count=5)

    assert Sensitive({name: ["Something else"]}).redact(cut).is_sensitive is (name != "departments")


def test_nothing_of_a_line_or_a_department_is_nothing_named() -> None:
    line = {**MARKED["RequisitionHeader"]["requisition-lines"][0]}
    empty = line | {"supplier": None, "commodity": None, "account": None, "account-allocations": []}
    document = read("RequisitionHeader", department=None, **{"requisition-lines": [empty]})

    everything = Sensitive({name: ["*"] for name in NAMES if name != "groups"})

    assert not everything.redact(document).is_sensitive


@pytest.mark.parametrize(
    "chain",
    [
        [],
        None,
        [{"id": 853, "status": "pending_approval"}],
        [{"id": 853, "status": "pending_approval", "approver": {}}],
        [{"id": 853, "status": "pending_approval", "approver": {"name": "board  OF directors"}}],
        [{"id": 853, "approver": {"login": "jamie"}}, {"id": 9, "approver": {"name": "Board of Directors"}}],
    ],
    ids=str,
)
def test_a_named_group_anywhere_in_the_chain_hides_it_and_so_does_a_step_of_nobody(chain: Any) -> None:
    board = Sensitive({"groups": ["Board of Directors"]})

    assert board.redact(read("RequisitionHeader", approvals=chain)).is_sensitive is bool(
        chain or chain in ([], None)
    )


def test_a_contract_does_not_say_who_is_asked_later_and_counts_as_named() -> None:
    contract = read("Contract", current_approval={"id": 853})

    assert Sensitive({"groups": ["Board"]}).redact(contract).is_sensitive
    assert not Sensitive({"departments": ["Board"]}).redact(contract).is_sensitive


def test_what_cannot_be_read_has_nothing_to_hide() -> None:
    closed = Unreadable(type="InvoiceHeader", id=7, scope="core.invoice.read")

    assert closed.redacted() is closed
    assert Sensitive({"groups": ["*"]}).redact(closed) is closed


def asked_names(fields: list[Any]) -> dict[str, list[Any]]:
    """Return the associations that are asked for, by the names of the model."""
    return {
        name.replace("-", "_"): inner
        for each in fields
        if isinstance(each, dict)
        for name, inner in each.items()
    }


@pytest.mark.parametrize("kind", list(DocumentKind))
def test_whatever_can_be_named_is_asked_for_and_nothing_else_is_expected(kind: DocumentKind) -> None:
    said = asked_names(DOCUMENT_FIELDS.get(kind, []))
    lines = next((inner for name, inner in said.items() if name.endswith(("_lines", "line_changes"))), [])
    every = {field for fields in FIELDS.values() for field in fields}

    assert set(OF_DOCUMENT.get(kind, ())) == every & said.keys()
    assert set(OF_LINE.get(kind, ())) == every & asked_names(lines).keys()


@pytest.mark.parametrize(
    "text",
    [
        *("HR", "[]", "7", "null", '{"people": ["Ann"]}', '{"groups": "Board"}', '{"groups": [""]}', "{"),
        *('{"groups": [" "]}', '{"groups": [7]}', '{"groups": ["A"], "groups": ["B"]}', '{"groups": {}}'),
        *('{"accounts": []}', '{"departments": ["*HR*"]}', '{"accounts": ["91*0", "*-9"]}'),
        "[" * 100_000,
    ],
    ids=lambda text: text[:20],
)
def test_a_setting_that_is_not_understood_hides_nothing_silently(text: str) -> None:
    with pytest.raises(ValueError, match="must be a JSON object that has lists of names") as said:
        read_sensitive(text)
    assert "Ann" not in str(said.value)


def test_a_setting_names_what_it_hides() -> None:
    assert read_sensitive("{}") == {}
    assert read_sensitive('{"departments": ["HR", "Legal"], "accounts": ["9100-*"]}') == {
        "departments": ("HR", "Legal"),
        "accounts": ("9100-*",),
    }


# ---------------------------------------------------------------------- in the whole bridge


def secret_world(named: dict[str, list[str]], **settings: str) -> World:
    """Return a world that hides something, where everybody is told of everything."""
    world = World(
        settings={
            "SENSITIVE": json.dumps(named),
            "CLOSING_NOTICE": "always",
            "TELL_REQUESTER": "on",
            "REMIND_AFTER_HOURS": "24",
            "ESCALATE_AFTER_HOURS": "48",
            "COMMENTS": "on",
            **settings,
        }
    )
    world.person(JAMIE, manager=world.person(BOSS))
    return world


def enter(world: World, *approvers: Any) -> int:
    """Enter a request of which every word can be found again."""
    line = Line(
        f"{WORD} line",
        quantity="1",
        unit_price=NUMBER,
        supplier=f"{WORD} supplier",
        account=[f"{WORD} account", "Other"],
        commodity=f"{WORD} commodity",
        attachments=(f"{WORD}.pdf",),
    )
    return world.requisition(
        *(approvers or (JAMIE,)),
        title=f"{WORD} title",
        justification=f"{WORD} justification",
        department=f"{WORD} department",
        need_by=f"{YEAR}-01-01T00:00:00-08:00",
        lines=[line],
    )


def asked_by(world: World, name: str) -> Any:
    """Return who is asked where a name of this kind is hidden: a group of that name, or Jamie."""
    return world.group(JAMIE, name=NAMED[name]) if name == "groups" else JAMIE


NAMED = {
    "commodities": f"{WORD} commodity",
    "suppliers": f"{WORD} supplier",
    "departments": f"{WORD} department",
    "accounts": f"{WORD} account",
    "groups": f"{WORD} group",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("digest_over", ["0", "1"])
def test_from_the_first_message_to_the_last_nothing_of_it_reaches_the_chat(
    name: str, digest_over: str
) -> None:
    world = secret_world({name: [NAMED[name]]}, DIGEST_OVER=digest_over)
    who = asked_by(world, name)
    numbers = [enter(world, who, ROBIN) for _ in range(3)]
    first = world.announced()
    replies = []
    for card in first:
        if card.slots:
            clicks = world.click(card, JAMIE), world.click(card, JAMIE, "reject", reason="no")
            replies += [*clicks, world.ask(card, JAMIE)]
    listed = world.listed(JAMIE)
    replies += [
        listed,
        world.call("get_approval", query={"approver_email": JAMIE}, route={"approval_id": "85001"}),
    ]
    for _ in range(3):
        world.told(after_s=25 * 3600)
    [one, two] = (world.approval_id(number) for number in numbers[:2])
    world.in_coupa(one, JAMIE, "rejected", note=f"{WORD} reason")
    world.coupa.world.decide_in_coupa(two, by=world.person(JAMIE), decision="approved", note=f"{WORD} reason")
    world.coupa.world.withdraw(numbers[2])
    for _ in range(3):
        world.told(after_s=700)
    replies += [world.click(card, JAMIE) for card in first if card.slots]

    assert {each.body["outcome"] for each in replies if "outcome" in each.body} <= {
        "step_up",
        "already_decided",
    }
    assert len(listed.body["approvals"]) == 3
    assert [each.message for each in world.moveworks.delivered if is_leaked(each.message)] == []
    assert [each.body for each in replies if is_leaked(json.dumps(each.body, ensure_ascii=False))] == []
    assert not is_leaked(str(world.store.open_entries()))
    said = " ".join(each.message for each in world.moveworks.delivered)
    kinds = ["Your request was rejected by Jamie", "There is nothing left", "waiting for"]
    kinds += ["for your approval for 1 day", "somebody else has to decide"] if digest_over == "0" else []
    assert [kind for kind in kinds if kind not in said] == (
        kinds[-1:] if name == "groups" and len(kinds) > 3 else []
    )
    assert world.puts() == 0


def test_what_becomes_sensitive_while_it_waits_is_announced_without_what_it_was() -> None:
    world = secret_world({})
    enter(world)
    [card] = world.announced()
    assert is_leaked(card.message)

    world.change(SENSITIVE=json.dumps({"departments": [NAMED["departments"]]}))
    world.clock.advance(3600)
    [again] = world.announced()
    late = world.click(card, JAMIE)

    assert "has changed" in again.message
    assert not is_leaked(again.message)
    assert late.body["outcome"] == "step_up"
    assert not is_leaked(json.dumps(late.body))
    assert world.puts() == 0


@pytest.mark.parametrize("settings", [{}, {"MOVEWORKS_MAX_PER_MINUTE": "1"}], ids=["fast", "one a minute"])
def test_a_contract_is_not_shown_where_a_named_group_may_be_asked_later(settings: dict[str, str]) -> None:
    world = secret_world({"groups": ["Board"]}, DOCUMENT_TYPES="Contract", **settings)
    board = world.group(BOSS, name="Board")
    world.coupa.world.add_document(
        approvable_type="Contract",
        approvers=[world.person(JAMIE), board],
        name=f"{WORD} takeover",
        maximum_value=NUMBER,
    )

    [card] = world.announced()
    listed = world.listed(JAMIE)
    world.clock.advance(25 * 3600)
    [again] = world.announced()
    past = history(world, JAMIE)
    said = [card.message, again.message, json.dumps([listed.body, past.body], ensure_ascii=False)]

    assert len(listed.body["approvals"]) == 1
    assert "has changed" not in again.message
    assert [each for each in said if is_leaked(each)] == []


def test_what_is_shown_again_is_not_compared_with_what_was_hidden() -> None:
    world = secret_world({"departments": [NAMED["departments"]]})
    number = enter(world)
    [hidden] = world.announced()
    world.coupa.world.override(("requisition", number), {"department": {"name": "IT"}})

    world.clock.advance(120)
    world.coupa.world.touch(world.approval_id(number))
    [shown] = world.announced()

    assert not is_leaked(hidden.message)
    assert is_leaked(shown.message)
    assert "has changed" not in shown.message
    assert "→" not in shown.message
    assert "+1 item" not in shown.message


def test_a_name_is_what_can_be_seen_of_it() -> None:
    names = Sensitive({"departments": ["HR"]})

    for spelt in ("H\u200bR", "\u2060hr", "\uff28\uff32", " HR\ufe0f"):
        assert names.redact(read("RequisitionHeader", department={"name": spelt})).is_sensitive
    assert not names.redact(read("RequisitionHeader", department={"name": "H R"})).is_sensitive


@pytest.mark.parametrize("workers", [1, 4])
def test_a_group_that_only_the_approval_names_hides_it_from_the_card_to_the_history(workers: int) -> None:
    world = secret_world({"groups": [NAMED["groups"]]})
    world.workers = workers
    world.restart()
    number = enter(world, asked_by(world, "groups"))
    [waits] = world.coupa.world.approvals_of(number)
    step = {"id": waits.id, "status": "pending_approval", "approver": {"login": "jamie"}}
    world.coupa.world.override(("requisition", number), {"approvals": [step]})

    [card] = world.announced()
    clicks = [world.click(card, JAMIE), world.click(card, JAMIE, "reject", reason="no")]
    clicks.append(world.ask(card, JAMIE, f"{WORD}?"))
    live = world.call("trace", query={"live": "1"}, route={"approval_id": str(waits.id)})
    world.in_coupa(waits.id, JAMIE)
    past = history(world, JAMIE)
    world.coupa.world.approvals.drop(waits.id)
    gone = world.click(card, JAMIE)
    world.clock.advance(1200)
    told = [each.message for each in world.announced()]

    assert [each.body["outcome"] for each in clicks] == ["step_up"] * 3
    assert "not in chat: SENSITIVE keeps it from chat" in live.text()
    assert [each["text"].partition(": ")[2] for each in past.body["decisions"]] == [
        f"Purchase request {number} · in Coupa"
    ]
    assert gone.body["outcome"] == "already_decided"
    assert [each for each in (card.message, *told) if is_leaked(each)] == []
    assert [each.body for each in (*clicks, past, gone) if is_leaked(json.dumps(each.body))] == []


def history(world: World, who: str) -> Reply:
    """Ask what somebody decided."""
    return world.call("list_decisions", headers={"X-Actor-Email": who})


def told_later(world: World) -> list[Delivered]:
    """Return what three sweeps of the next half hour say."""
    before = len(world.moveworks.delivered)
    for _ in range(3):
        world.clock.advance(600)
        world.sweep()
    return world.moveworks.delivered[before:]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_put", [False, True])
def test_what_becomes_sensitive_takes_its_questions_and_answers_out_of_chat(
    name: str,
    is_put: bool,  # noqa: FBT001 - of the table above
) -> None:
    """The question waits while it is hidden, and is answered as ever once it is not."""
    world = secret_world({})
    who = asked_by(world, name)
    number = enter(world, who)
    [card] = world.announced()
    assert world.ask(card, JAMIE, f"{WORD}?").body["outcome"] == "commented"
    if is_put:
        world.clock.advance(60)
        [put] = world.announced()
        assert put.recipient == SAM
    world.change(SENSITIVE=json.dumps({name: [NAMED[name]]}))
    world.coupa.world.add_comment("requisition", number, by=world.person(SAM), text=f"{WORD} because")

    hidden = told_later(world)
    world.change(SENSITIVE=json.dumps({}))
    shown = told_later(world)

    assert [(each.recipient, "has changed" in each.message) for each in hidden] == [(JAMIE, True)]
    assert not is_leaked(hidden[0].message)
    assert [f"{WORD} because" in each.message for each in shown if "answered" in each.message] == [True]


@pytest.mark.parametrize("name", NAMES)
def test_what_somebody_decided_on_is_called_by_its_number_in_their_history(name: str) -> None:
    world = secret_world({})
    who = asked_by(world, name)
    first, second = enter(world, who), enter(world, who)
    card, _ = world.announced()
    assert world.click(card, JAMIE).body["outcome"] == "approved"
    [other] = world.coupa.world.approvals_of(second)
    world.in_coupa(other.id, JAMIE, "rejected", note=f"{WORD} no")
    assert is_leaked(json.dumps(history(world, JAMIE).body))

    world.change(SENSITIVE=json.dumps({name: [NAMED[name]]}))
    past = history(world, JAMIE)
    world.coupa.front.fail("answer", path="/api/approvals", status=503, times=None)
    ours = history(world, JAMIE)

    numbers = {each["document_id"]: each["text"] for each in past.body["decisions"]}
    assert numbers.keys() == {str(first), str(second)}
    assert all(f": Purchase request {number} · in " in text for number, text in numbers.items())
    assert [each["document_id"] for each in ours.body["decisions"]] == [str(first)]
    assert not is_leaked(json.dumps(past.body))
    assert not is_leaked(json.dumps(ours.body))


def test_whom_nobody_knows_to_have_been_asked_may_have_been_a_named_group() -> None:
    document = read("RequisitionHeader")

    assert Sensitive({"groups": ["Board"]}).redact_for(None, document).is_sensitive
    assert not Sensitive({"groups": ["Board"]}).redact_for(approval(), document).is_sensitive
    assert not Sensitive({"suppliers": ["Board"]}).redact_for(None, document).is_sensitive
