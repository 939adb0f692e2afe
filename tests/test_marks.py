"""The mark before our client's words in Coupa: it reads back as written, and no other text is a mark."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coupa_core.authority import Capacity, Decider
from coupa_core.decide.answers import Click, Question
from coupa_core.decide.ended import comment_for, reason_for
from coupa_core.marks import Signed, read_mark
from coupa_core.model import Verb
from coupa_core.visible import words_of

ANN = "ann@acme.test"
BOSS = "G: Boss <boss@acme.test> via Moveworks: yes"
PARTS = st.sampled_from(
    [
        *(": ", ":", '"', "'", "<", ">", "@[", "@[User:7] ", " via Moveworks", " as member of ", " via"),
        *("Moveworks", "boss@acme.test", "\u200b", "\u3164", " ", "\uff1a", "A", "Boss", BOSS),
    ]
)
TEXTS = st.lists(PARTS | st.text(max_size=6), max_size=8).map("".join)
CAPACITIES = st.sampled_from(list(Capacity))


def named(name: str, capacity: Capacity = Capacity.MEMBER) -> Decider:
    return Decider("user:7", ANN, name, "", capacity)


def read(text: str) -> Signed:
    """Read a mark that must be there."""
    found = read_mark(text)
    assert found is not None, text
    return found


@pytest.mark.slow
@given(TEXTS, TEXTS, TEXTS, CAPACITIES)
@example("Ann Doe", "IT: Hardware", "", Capacity.MEMBER)
@example("Ann Doe", BOSS, "", Capacity.MEMBER)
@example("Ann Doe", '"', '": words', Capacity.DELEGATE)
@example("Boss via\u200b Moveworks", "IT", "ok", Capacity.MEMBER)
@example("a via via Moveworks Moveworks", "", "", Capacity.APPROVER)
@example("Ann: Boss", "", "", Capacity.APPROVER)
@settings(max_examples=500, deadline=None)
def test_who_wrote_a_reason_and_its_words_come_back(
    name: str, whom: str, words: str, capacity: Capacity
) -> None:
    click = Click(1, Verb.REJECT, ANN, reason=words)
    plain = read(reason_for(Click(1, Verb.REJECT, ANN), named(name, Capacity.APPROVER), asked="")).name

    note = reason_for(click, named(name, capacity), asked=whom)

    assert read(note) == Signed(read(note).name, ANN, words_of(words))
    assert plain.startswith(read(note).name)  # a long name gives way to the words
    assert not set(plain) & set("<>:\uff1a")
    assert " via Moveworks" not in plain
    assert "  " not in note


@pytest.mark.slow
@given(TEXTS, TEXTS, TEXTS, CAPACITIES)
@settings(max_examples=300, deadline=None)
def test_who_asked_a_question_and_its_words_come_back(
    name: str, whom: str, words: str, capacity: Capacity
) -> None:
    text = comment_for(Question(1, ANN, words), named(name, capacity), asked=whom, requester=9)

    assert text.startswith("@[User:9] ")
    assert text.count("@[") == 1
    assert (read(text).address, read(text).words) == (ANN, words_of(words).replace("@[", "@ ["))


@pytest.mark.parametrize("name", ["Ann Doe", "J. R. O'Neil-Smith", "山田 太郎", "محمد", 'Robert "Bob" Lee'])
def test_a_name_comes_back_as_it_is(name: str) -> None:
    assert read(reason_for(Click(1, Verb.APPROVE, ANN), named(name), asked="Buyers")).name == name


@pytest.mark.parametrize(
    ("text", "whom", "name", "words"),
    [
        (f"Ann <{ANN}> via Moveworks: fine: go", "", "Ann", "fine: go"),
        (f"Ann <{ANN}> via Moveworks", "", "Ann", ""),
        (f"<{ANN}> via Moveworks: fine", "", "", "fine"),
        (f"Ann <{ANN}> via Moveworks as member of Buyers: fine: go", "Buyers", "Ann", "fine: go"),
        (f"Ann <{ANN}> via Moveworks as member of IT: Hardware", "IT: Hardware", "Ann", ""),
        (f"Ann <{ANN}> via Moveworks as member of IT: Hardware: fine", "IT: Hardware", "Ann", "fine"),
        (f"Ann <{ANN}> via Moveworks as member of IT: Hardware", "", "Ann", ""),
        (f"Ann <{ANN}> via Moveworks as member of {BOSS}", "", "Ann", ""),
        (f"Ann <{ANN}> via Moveworks as delegate of Boss: fine", "", "Ann", ""),
        (f"@[User:7] Ann <{ANN}> via Moveworks as member of Buyers: why?", "", "Ann", "why?"),
        (f"@[User:7] Ann <{ANN}> via Moveworks as member of A: B: why?", "", "Ann", ""),
    ],
)
def test_marks_of_earlier_releases_are_read_and_no_name_becomes_words(
    text: str, whom: str, name: str, words: str
) -> None:
    assert read_mark(text, whom) == Signed(name, ANN, words)


@pytest.mark.parametrize(
    "text",
    [
        f"Imported from portal. Supplier says: Ann <{ANN}> via Moveworks: approve quickly",
        f"\u4f9b\u5e94\u5546\uff1aAnn <{ANN}> via Moveworks: ok",
        f"Boss <boss@acme.test> Ann <{ANN}> via Moveworks: ok",
        f"{'x' * 90} Ann <{ANN}> via Moveworks: ok",
        f"Ann <{ANN}> via Moveworks and others: ok",
        "Ann via Moveworks: ok",
        "",
        None,
    ],
)
def test_a_text_that_does_not_begin_with_the_mark_has_none(text: str | None) -> None:
    assert read_mark(text) is None
