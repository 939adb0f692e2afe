"""The chats: each person's messages, clicks and questions, and the answers of the bridge.

It plays Moveworks' part after delivery. It shows answers and does not judge them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, get_args

import requests

from sandbox.clock import Clock
from sandbox.connector import Connector, Decision
from sandbox.moveworks import MoveworksSimulator
from sandbox.page.form import Done, Form, Mistake


@dataclass(frozen=True)
class Words:
    """The words of the plugin's builder in one language; the bridge's own words come from the bridge.

    Attributes:
        asked: the question that shows the list.
        labels: the buttons' labels, by action; `back` is Reject after the reason.
        reason: the label of the field for a reason.
        past: parts of words that mark typed text as the question about past decisions.
        heard: the same for the question that shows the list; `past` has precedence.
        lost: the answer to any other text.
    """

    asked: str
    labels: dict[str, str]
    reason: str
    past: tuple[str, ...]
    heard: tuple[str, ...]
    lost: str


WORDS = {
    "en": Words(
        "Do I have any approvals in Coupa?",
        {
            "approve": "Approve",
            "reject": "Reject",
            "hold": "Put on hold",
            "back": "Reject with this reason",
            "more": "Details",
            "tick": "This one",
            "several": "Approve what is ticked",
            "open": "Open in Coupa",
        },
        "Reason, for the requester",
        ("did i ", "have i ", "my decisions", "my last", "coupa decisions"),
        ("approv", "pending", "waiting", "to do"),
        "I can show what waits for you, and what you decided. Ask me: "
        "“Do I have any approvals in Coupa?”, or “What did I decide in Coupa?”",
    ),
    "fr": Words(
        "Ai-je des approbations en attente dans Coupa ?",
        {
            "approve": "Approuver",
            "reject": "Refuser",
            "hold": "Mettre en attente",
            "back": "Refuser ainsi",
            "more": "Détails",
            "tick": "Celle-ci",
            "several": "Approuver la sélection",
            "open": "Ouvrir dans Coupa",
        },
        "Motif, pour le demandeur",
        ("décid", "décision", "ai-je approuvé", "ai-je refusé", "j’ai approuvé", "j’ai refusé"),
        ("approb", "attente", "approuv"),
        "Je peux montrer ce qui vous attend, et ce que vous avez décidé. Demandez : "
        "« Ai-je des approbations en attente dans Coupa ? », ou « Qu’ai-je décidé dans Coupa ? »",
    ),
    "ja": Words(
        "Coupaで承認待ちのものはありますか？",
        {
            "approve": "承認",
            "reject": "却下",
            "hold": "保留",
            "back": "この理由で却下",
            "more": "詳細",
            "tick": "選択",
            "several": "選択したものを承認",
            "open": "Coupaで開く",
        },
        "理由（申請者に伝わります）",
        ("決定", "判断", "承認しました", "承認した", "却下しました", "却下した"),
        ("承認",),
        "承認をお待ちしているものと、ご自身の決定をお見せできます。"
        "「Coupaで承認待ちのものはありますか？」または「Coupaで何を決定しましたか？」とお尋ねください。",
    ),
}
"""The words for people whose language is not here, in English."""

ASKED, LABELS = WORDS["en"].asked, WORDS["en"].labels
SHOWN = 60
"""The number of shown entries of a chat, the newest ones."""

TOGETHER = timedelta(minutes=2)
"""Entries of one side within this time form one group."""

MANY = 3
"""From this number of cards in a group on, each is drawn in short form."""


@dataclass(frozen=True)
class Card:
    """A text in Moveworks' markup, and the slots of its buttons; no slots, no buttons."""

    id: str
    text: str
    slots: dict[str, str]

    @property
    def approval_id(self) -> str:
        """The approval that its buttons decide; empty for a message without buttons."""
        return self.slots.get("approval_id", "")

    @property
    def asks(self) -> bool:
        """Tell whether it names the question for the list, as a digest does, and so gets it as a button."""
        return not self.approval_id and any(words.asked in self.text for words in WORDS.values())


@dataclass(frozen=True)
class Entry:
    """One entry of a chat.

    is_own: the person wrote it; otherwise the bot did.
        is_own: the person said it; otherwise the bot did.
        note: the outcome of a click, for a person who watches.
    """

    id: str
    person: str
    at: datetime
    text: str = ""
    is_own: bool = False
    note: str = ""
    cards: list[Card] = field(default_factory=list)

    @property
    def is_many(self) -> bool:
        """Tell whether it shows several approvals, which can then be decided together."""
        return sum(bool(card.approval_id) for card in self.cards) > 1


@dataclass(frozen=True)
class Turn:
    """An entry at its place in a chat.

    Attributes:
        day: the day that begins with it; None when it is the day of the entry before.
        begins: the entry before it is of the other side, or some time ago.
        is_short: its cards are some of many, and so drawn in short form.
    """

    entry: Entry
    day: date | None
    begins: bool
    is_short: bool


def turns(entries: Sequence[Entry]) -> list[Turn]:
    """Return the entries, oldest first, in days and groups."""
    groups: list[list[Entry]] = []
    for each in entries:
        if groups and _goes_on(groups[-1][-1], each):
            groups[-1].append(each)
        else:
            groups.append([each])
    shown: list[Turn] = []
    for group in groups:
        is_many = sum(bool(card.approval_id) for each in group for card in each.cards) >= MANY
        for place, each in enumerate(group):
            before = shown[-1].entry.at.date() if shown else None
            day = each.at.date()
            is_short = is_many or each.is_many
            shown.append(Turn(each, None if day == before else day, place == 0, is_short))
    return shown


def _goes_on(before: Entry, each: Entry) -> bool:
    is_same_day = before.at.date() == each.at.date()
    return is_same_day and before.is_own == each.is_own and each.at - before.at <= TOGETHER


class Chats:
    """Every person's chat.

    Args:
        moveworks: the source of the notices.
        connector: the way of clicks and questions to the bridge.
        clock: the time of the sandbox.
        locale_of: returns the language of a person.
    """

    def __init__(
        self,
        moveworks: MoveworksSimulator,
        connector: Connector,
        clock: Clock,
        locale_of: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._locale_of = locale_of
        self._moveworks = moveworks
        self._connector = connector
        self._clock = clock
        self._said: list[Entry] = []
        self._lock = threading.Lock()

    def of(self, person: str) -> list[Entry]:
        """Return the newest entries of a person's chat, oldest first."""
        return sorted((*self._notices(person), *self._own(person)), key=lambda each: each.at)[-SHOWN:]

    def words(self, person: str) -> Words:
        """Return the words of a person's plugin."""
        return WORDS.get((self._locale_of(person) or "")[:2], WORDS["en"])

    def language(self, person: str) -> str:
        """Return a person's language, as HTML names it."""
        return (self._locale_of(person) or "en").replace("_", "-")

    def waiting(self, person: str) -> int:
        """Return the number of a person's notices."""
        return len(self._notices(person))

    def decide(
        self, person: str, slots: Mapping[str, str], decision: Decision, reason: str = ""
    ) -> requests.Response:
        """Decide as that person; their chat has the click and the answer.

        Raises:
            requests.RequestException: there was no answer; the chat then says so.
        """
        said = f"{self.words(person).labels[decision]}{f': {reason}' if reason else ''}"
        self._say(person, said, is_own=True)
        reply = self._tried(
            person,
            lambda: self._connector.decide(slots, clicker=person, decision=decision, reason=reason or None),
        )
        answer = _json(reply)
        anew = {"approval_id": slots["approval_id"], "action_token": str(answer.get("action_token") or "")}
        self._say(
            person,
            str(answer.get("message", "Something went wrong.")),
            note=f"{_outcome(answer)}, HTTP {reply.status_code}",
            cards=[(str(answer["content"]), anew)] if answer.get("content") else [],
        )
        return reply

    def pending(self, person: str, asked: str = "") -> requests.Response:
        """Ask for the list of open approvals as that person, in their words; their chat has the question.

        Raises:
            requests.RequestException: there was no answer; the chat then says so.
        """
        self._say(person, asked or self.words(person).asked, is_own=True)
        reply = self._tried(person, lambda: self._connector.pending(person))
        answer = _json(reply)
        cards = [(str(each.get("text", "")), _slots(each)) for each in answer.get("approvals", [])]
        note = f"{answer.get('error', 'list')}, HTTP {reply.status_code}"
        self._say(person, str(answer.get("message", "Something went wrong.")), note=note, cards=cards)
        return reply

    def decided(self, person: str, asked: str) -> requests.Response:
        """Ask for that person's past decisions, in their words; their chat has the question.

        Raises:
            requests.RequestException: there was no answer; the chat then says so.
        """
        self._say(person, asked, is_own=True)
        reply = self._tried(person, lambda: self._connector.decided(person))
        answer = _json(reply)
        opens = self.words(person).labels["open"]
        cards: list[tuple[str, dict[str, str]]] = [
            (f'{each.get("text", "")}<br><a href="{each.get("link", "")}">{opens}</a>', {})
            for each in answer.get("decisions", [])
        ]
        note = f"{answer.get('error', 'decisions')}, HTTP {reply.status_code}"
        self._say(person, str(answer.get("message", "Something went wrong.")), note=note, cards=cards)
        return reply

    def click(self, person: str, form: Form) -> Done:
        """Press a button, as that person.

        Raises:
            Mistake: there is no such card or button.
        """
        card, decision = self._card(person, form.needed("card", limit=40)), form.needed("decision")
        if decision not in get_args(Decision):
            raise Mistake("There is no such button.")
        reason = form.text("reason", limit=8_000)
        with suppress(requests.RequestException):
            self.decide(person, card.slots, _decision(decision), reason)
        return self._shown()

    def ask(self, person: str, form: Form) -> Done:  # noqa: ARG002 - as every action
        """Ask for the list of open approvals, as that person."""
        with suppress(requests.RequestException):
            self.pending(person)
        return self._shown()

    def write(self, person: str, form: Form) -> Done:
        """Type something, as that person; Moveworks finds the question in it, if there is one.

        Raises:
            Mistake: nothing was typed.
        """
        text, words = form.text("message", limit=500), self.words(person)
        if not text:
            raise Mistake("Type a message first.", "message")
        for parts, ask in ((words.past, self.decided), (words.heard, self.pending)):
            if any(part in text.casefold().replace("'", "’") for part in parts):
                with suppress(requests.RequestException):
                    ask(person, text)
                return self._shown()
        self._say(person, text, is_own=True)
        return self._say(person, words.lost)

    def approve_several(self, person: str, form: Form) -> Done:
        """Approve at once the ticked approvals of one entry, as that person.

        Raises:
            Mistake: the chat has no such entry, or nothing was ticked.
        """
        turn = form.needed("turn", limit=40)
        cards = [card for entry in self._own(person) if entry.id == turn for card in entry.cards]
        ticked = [card.slots for card in cards if form.text(f"tick-{card.id}")]
        if not ticked:
            raise Mistake("Nothing was ticked.")
        self._say(person, f"{LABELS['approve']} {len(ticked)} of them", is_own=True)
        with suppress(requests.RequestException):
            reply = self._tried(
                person, lambda: self._connector.decide_several(ticked, clicker=person, decision="approve")
            )
            answer = _json(reply)
            items = [f"{each['approval_id']} {_outcome(each)}" for each in answer.get("items", [])]
            note = f"{', '.join(items) or _outcome(answer)}, HTTP {reply.status_code}"
            self._say(person, str(answer.get("message", "Something went wrong.")), note=note)
        return self._shown()

    def _tried(self, person: str, call: Callable[[], requests.Response]) -> requests.Response:
        """Return the answer to a call; without one, say so as Moveworks would, and raise."""
        try:
            return call()
        except requests.RequestException:
            self._say(person, "Something went wrong. Please try again later.", note="no answer")
            raise

    def _shown(self) -> Done:
        """Lead to the newest entry."""
        return Done(self._said[-1].id)

    def _say(
        self,
        person: str,
        text: str,
        *,
        is_own: bool = False,
        note: str = "",
        cards: Sequence[tuple[str, dict[str, str]]] = (),
    ) -> Done:
        with self._lock:
            name = f"turn-{len(self._said)}"
            kept = [Card(f"{name}-{place}", shown, slots) for place, (shown, slots) in enumerate(cards)]
            self._said.append(Entry(name, person, self._clock.now(), text, is_own, note, kept))
        return Done(name)

    def _own(self, person: str) -> list[Entry]:
        return [each for each in list(self._said) if each.person == person]

    def _notices(self, person: str) -> list[Entry]:
        return [
            Entry(
                f"notice-{number}",
                person,
                each.at,
                cards=[Card(f"notice-{number}-0", each.message, each.slots)],
            )
            for number, each in enumerate(list(self._moveworks.delivered))
            if each.recipient.casefold() == person.casefold()
        ]

    def _card(self, person: str, name: str) -> Card:
        for entry in (*self._notices(person), *self._own(person)):
            for card in entry.cards:
                if card.id == name and card.approval_id:
                    return card
        raise Mistake("There is no such card in this chat.")


def _slots(item: dict[str, Any]) -> dict[str, str]:
    """Return the slots of a listed card's buttons; none where it comes without a token."""
    return {key: str(value) for key, value in item.items()} if item.get("action_token") else {}


def _decision(text: str) -> Decision:
    return "approve" if text == "approve" else "reject" if text == "reject" else "hold"


def _outcome(answer: dict[str, Any]) -> str:
    return str(answer.get("outcome") or answer.get("error") or "no answer")


def _json(reply: requests.Response) -> dict[str, Any]:
    """Read an answer; anything but a JSON object counts as empty."""
    try:
        answer = reply.json()
    except requests.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}
