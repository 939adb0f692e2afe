"""Ranges of ids: read newest first, shared between workers, split down to the ids that cannot be listed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import pytest

from coupa_core.clock import Deadline
from coupa_core.errors import Refused, Unavailable, Unknown
from coupa_core.model import ALL_IDS, IdRange
from coupa_core.ranges import Ranges
from sandbox.clock import ManualClock


class Service:
    """Rows that are listed five at a time, but for those that break an answer."""

    def __init__(self, rows: range, *, bad: Iterable[int] = ()) -> None:
        self.rows, self.bad = list(rows), set(bad)
        self.listed: list[int] = []
        self.calls = 0
        self.is_away = False
        self._lock = threading.Lock()

    def __call__(self, ids: IdRange) -> IdRange | None:
        low, high = ids
        page = [each for each in reversed(self.rows) if low <= each <= high][:5]
        with self._lock:
            self.calls += 1
            if self.is_away or self.bad & set(page):
                raise Unknown("coupa_500", "odd", status=500)
            self.listed += page
        return (low, page[-1] - 1) if page and page[-1] > low else None


def ranges(ask: Callable[[IdRange], IdRange | None], **more: object) -> tuple[Ranges, list[int]]:
    alone: list[int] = []
    made = Ranges(
        [ALL_IDS],
        ask=ask,
        alone=alone.append,
        newest=lambda: 1,
        begins=Deadline(ManualClock(), 60),
        **more,  # type: ignore[arg-type]
    )
    return made, alone


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("bad", [(), (1,), (57,), (100,), (3, 50, 51, 99)], ids=str)
def test_all_but_what_cannot_be_listed_is_listed_once(bad: tuple[int, ...], workers: int) -> None:
    service = Service(range(1, 101), bad=bad)
    read, alone = ranges(service, alone_for=3)

    read.read(workers=workers)

    assert sorted(service.listed) == sorted(set(service.rows) - set(bad))
    assert set(alone) == set(bad)
    assert read.is_complete
    assert not read.was_silent


def test_the_newest_is_read_first() -> None:
    service = Service(range(1, 101))
    read, _ = ranges(service)

    read.read(workers=1)

    assert service.listed == list(range(100, 0, -1))


def test_a_service_that_answers_nothing_is_asked_for_a_sign_of_life_and_no_more() -> None:
    service = Service(range(1, 101))
    service.is_away = True
    read, alone = ranges(service)

    read.read(workers=1)

    assert (service.calls, alone, read.is_complete) == (2, [], False)
    assert (read.was_silent, read.is_cut_off) == (True, True)
    assert (read.unread, read.failed) == ([ALL_IDS], [])


@pytest.mark.parametrize(
    "failure", [Unavailable("coupa_pace", "no turn"), Unavailable("coupa_429", "x", status=429)]
)
def test_what_is_no_fault_of_a_record_ends_the_reading_and_keeps_the_range(failure: Unavailable) -> None:
    def ask(_: IdRange) -> IdRange | None:
        raise failure

    read, _ = ranges(ask)
    read.read(workers=1)

    assert (read.unread, read.failed, read.failure) == ([ALL_IDS], [], failure)


def test_what_was_not_read_in_time_is_left_and_is_no_failure() -> None:
    clock = ManualClock()
    service = Service(range(1, 101))

    def slow(ids: IdRange) -> IdRange | None:
        clock.advance(25)
        if clock.monotonic() > deadline_s:
            raise Unavailable("coupa_late", "no time left")
        return service(ids)

    deadline_s = clock.monotonic() + 60
    read = Ranges([ALL_IDS], ask=slow, alone=list[int]().append, newest=lambda: 1, begins=Deadline(clock, 60))
    read.read(workers=1)

    assert service.listed == list(range(100, 90, -1))
    assert (read.unread, read.failed, read.failure, read.was_silent) == ([(1, 90)], [], None, False)


def test_no_more_pages_are_asked_for_than_are_allowed() -> None:
    service = Service(range(1, 101))
    read, _ = ranges(service, calls=4)

    read.read(workers=1)

    assert (service.calls, read.asked, read.unread) == (4, 4, [(1, 80)])


def test_a_fault_of_ours_ends_no_worker_in_silence() -> None:
    def ask(_: IdRange) -> IdRange | None:
        raise KeyError("odd")

    read, _ = ranges(ask)

    with pytest.raises(KeyError):
        read.read(workers=4)
    assert read.unread == [ALL_IDS]


def test_a_refusal_of_one_page_is_about_that_page() -> None:
    def ask(ids: IdRange) -> IdRange | None:
        if ids[0] <= 7 <= ids[1]:
            raise Refused("coupa_404", "odd", status=404)
        return None

    read, alone = ranges(ask)
    read.read(workers=1)

    assert (alone, read.is_complete) == ([7], True)


@pytest.mark.parametrize("after", range(1, 9))
def test_a_service_that_goes_away_is_not_asked_for_ever_and_nobody_is_blamed(after: int) -> None:
    service = Service(range(1, 2_000), bad={1_980})

    def then_away(ids: IdRange) -> IdRange | None:
        service.is_away = service.calls >= after
        return service(ids)

    read, alone = ranges(then_away)
    read.read(workers=1)

    assert service.calls <= after + 4
    assert (set(alone) <= {1_980}, read.is_cut_off) == (True, True)
    rest = {each for each in service.rows if is_in(each, read)}
    assert set(service.listed) | rest | set(alone) == set(service.rows)


def is_in(number: int, read: Ranges) -> bool:
    """Tell whether an id is still to be read."""
    return any(low <= number <= high for low, high in [*read.unread, *read.failed])


def test_however_long_a_service_is_away_nothing_is_halved_or_blamed_for_it() -> None:
    service = Service(range(1, 101))
    service.is_away = True
    unread: list[IdRange] = [ALL_IDS]
    failed: list[IdRange] = [(7, 7)]
    for _ in range(50):
        alone: list[int] = []
        read = Ranges(
            unread,
            failed,
            ask=service,
            alone=alone.append,
            newest=lambda: 1,
            begins=Deadline(ManualClock(), 60),
            calls=1_000,
        )
        read.read(workers=1)
        unread, failed = read.unread, read.failed

        assert (alone, unread, failed) == ([], [ALL_IDS], [(7, 7)])


def test_what_is_kept_for_another_time_stays_small() -> None:
    service = Service(range(1, 3_001))
    kept: list[IdRange] = [(low, low + 9) for low in range(1, 3_001, 10) if low != 1_001]
    read = Ranges(
        kept[::2],
        kept[1::2],
        ask=service,
        alone=lambda number: None,
        newest=lambda: 3_000,
        begins=Deadline(ManualClock(), 60),
        calls=1,
    )

    read.read(workers=1)

    assert (read.unread, read.failed) == ([(1_011, 2_995), (1, 1_000)], [])
    assert service.listed == [3_000, 2_999, 2_998, 2_997, 2_996]
