"""The ledger on top of a store of rows: safe against races and lost answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from coupa_core.errors import Conflict, ServiceError, Unavailable, Unknown
from coupa_core.ledger.entry import Entry, Lease, State
from coupa_core.ledger.rules import claimed, closed, next_generation
from coupa_core.ledger.status import Status

_TRIES = 3

MAX_WORDS = 300
"""The most words in a note: with their times and nonces some 20,000 characters."""

NOTHING_KNOWN: Mapping[int, Entry] = {}


@dataclass(frozen=True)
class Corrupt:
    """A stored row that cannot be read: its key and the fault."""

    key: str
    cause: str

    @property
    def approval_id(self) -> int | None:
        """Return the approval's id; None where the key is no number."""
        return int(self.key) if self.key.isascii() and self.key.isdigit() else None


@dataclass(frozen=True)
class Opened:
    """Rows that are not closed, and those that cannot be read.

    Attributes:
        entries: in the order of ids.
        corrupt: rows that cannot be read.
        position: of the store, for a later call that returns newer rows only.
    """

    entries: list[Entry]
    corrupt: list[Corrupt]
    position: str = ""


@dataclass(frozen=True)
class Note:
    """A short text that processes share, and the store's mark of it."""

    text: str = ""
    etag: str = ""


class LedgerStore(Protocol):
    """The port to the stored rows; each method raises `Unavailable` or `Unknown` if there is no answer."""

    def open_entries(self, since: str = "", known: Mapping[int, Entry] = NOTHING_KNOWN) -> Opened:
        """Return the rows that are not closed: all, or those since a position, with possible older ones.

        Args:
            since: the position of an earlier answer.
            known: rows that were read or written before, by approval id; unchanged rows are taken from there.
        """
        ...

    def read(self, approval_id: int) -> Entry | None:
        """Return the open row of an approval, or None."""
        ...

    def read_closed(self, approval_id: int) -> Entry | None:
        """Return the closed row of an approval, or None."""
        ...

    def closed_entries(self, *, since: datetime, until: datetime) -> list[Entry]:
        """Return the rows that were closed at or after `since` and before `until`, in any order."""
        ...

    def decided_entries(self, *, by: str, since: datetime) -> list[Entry]:
        """Return the rows, open and closed, that this address decided since then, in any order."""
        ...

    def insert(self, entry: Entry) -> str:
        """Store a row that must not exist yet and return its etag; raises `Conflict` when it does."""
        ...

    def replace(self, entry: Entry) -> str:
        """Store a row over the one that has its etag and return the new etag; raises `Conflict` otherwise."""
        ...

    def archive(self, entry: Entry) -> None:
        """Move a row to the closed ones, unless it changed meanwhile (`Conflict`)."""
        ...

    def set_aside(self, corrupt: Corrupt) -> None:
        """Move a row that cannot be read out of the way, and keep it for operators."""
        ...

    def purge_closed(self, before: datetime) -> int:
        """Delete the rows that were closed before that time and return how many.

        A failure does not stop the rest; it is raised at the end.
        """
        ...

    def status(self) -> Status:
        """Return the status of the last sweep, or an empty one."""
        ...

    def save_status(self, status: Status) -> None:
        """Store the status of this sweep."""
        ...

    def note(self, name: str) -> Note:
        """Return a short text that processes share; a missing one is empty and has no etag."""
        ...

    def save_note(self, name: str, note: Note) -> str:
        """Store a note over the one that was read and return its etag; raises `Conflict` otherwise."""
        ...


class Ledger:
    """The safe way to the store: every write is conditional, and read back when its outcome is unknown.

    Args:
        store: the store of the rows.
        new_nonce: returns 128 random bits as text; a fresh one for every write.
    """

    def __init__(self, store: LedgerStore, *, new_nonce: Callable[[], str]) -> None:
        self.store = store
        self._new_nonce = new_nonce

    def commit(self, entry: Entry) -> Entry | None:
        """Write the next state of a row.

        Args:
            entry: made by a rule from the row that was read; without an etag it must be new.

        Returns:
            The row as stored; None when another process wrote first.

        Raises:
            Unavailable, Unknown: the outcome of the write is not known.
            Conflict: the stored row cannot be read.
        """
        entry = replace(entry, nonce=self._new_nonce())
        failure: ServiceError = Unavailable("ledger_untried", "the row was not written")
        for _ in range(_TRIES):
            try:
                etag = self.store.replace(entry) if entry.etag else self.store.insert(entry)
            except (Conflict, Unavailable, Unknown) as error:
                failure = error
            else:
                return replace(entry, etag=etag)
            # An answer was lost, or another process was quicker; the row itself shows it. Our nonce means
            # that the write went through, even when a retry inside the SDK was answered with a conflict.
            stored = self.store.read(entry.approval_id)
            if stored is not None and stored.nonce == entry.nonce:
                return stored
            if (stored.etag if stored else "") != entry.etag:
                return None
        raise failure

    def claim(self, fresh: Entry | None, *, approval_id: int, now: datetime, lease: Lease) -> Entry | None:
        """Take the exclusive right to judge an approval and to send its messages.

        Args:
            fresh: the row as it was just read; None when there is none.
            approval_id: of the row.
            now: aware UTC.
            lease: how long the claim holds.

        Returns:
            The claimed row; None when another process has it or was quicker.
        """
        if fresh is None:
            fresh = self.begin(approval_id)
        elif fresh.is_held(now, lease):
            return None
        return self.commit(claimed(fresh, now=now, lease=lease))

    def begin(self, approval_id: int) -> Entry:
        """Return a new row, in the generation after the one that was closed, if any."""
        before = self.store.read_closed(approval_id)
        if before is None:
            return Entry(approval_id=approval_id, state=State.RETRY, nonce="")
        return next_generation(replace(before, state=State.RETRY, etag=""))

    def current_row(self, approval_id: int) -> Entry:
        """Return the row of an approval that waits now: stored, or as a sweep would begin it."""
        entry = self.store.read(approval_id) or self.begin(approval_id)
        return next_generation(entry) if entry.has_ended else entry

    def close(self, entry: Entry, *, cause: str, now: datetime) -> bool:
        """Move a row to the closed rows; False when another process changed it meanwhile."""
        try:
            self.store.archive(replace(closed(entry, cause=cause, now=now), nonce=self._new_nonce()))
        except Conflict:
            return False
        return True

    def take(self, name: str, number: int, *, limit: int, window_s: float, now: datetime) -> bool:
        """Take places within a rate that all processes share: all of them, or none.

        Args:
            name: the name of the rate.
            number: the number of places.
            limit: the most places in any window.
            window_s: the window's length in seconds.
            now: aware UTC.

        Raises:
            ServiceError: the store does not answer, or other processes are always quicker.
        """

        def add(text: str) -> str | None:
            taken = [at for at in _times(text) if now.timestamp() - window_s < at <= now.timestamp()]
            if len(taken) + number > limit:
                return None
            return " ".join(f"{each:.3f}" for each in [*taken, *[now.timestamp()] * number])

        return self._rewrite(name, add)  # taking twice after a lost answer only wastes places

    def take_words(self, name: str, words: Mapping[str, datetime], *, now: datetime) -> bool:
        """Take words, all or none; nobody else may take them before they expire.

        Args:
            name: the name of the note that keeps them.
            words: words of letters and digits, each with the time at which it expires.
            now: aware UTC.

        Raises:
            ServiceError: the store does not answer, or others are always quicker.
        """
        nonce = self._new_nonce()

        def add(text: str) -> str | None:
            kept = {word: rest for word, *rest in _words(text) if float(rest[0]) > now.timestamp()}
            if any(kept[word][1] != nonce for word in words.keys() & kept.keys()):
                return None
            kept |= {word: [f"{until.timestamp():.0f}", nonce] for word, until in words.items()}
            newest = sorted(kept.items(), key=lambda each: float(each[1][0]))[-MAX_WORDS:]
            return " ".join(":".join([word, *rest]) for word, rest in newest)

        return self._rewrite(name, add)

    def give_back(self, name: str, words: Collection[str]) -> None:
        """Release words for others; raises the errors of `take_words`."""
        self._rewrite(
            name, lambda text: " ".join(":".join(each) for each in _words(text) if each[0] not in words)
        )

    def _rewrite(self, name: str, change: Callable[[str], str | None]) -> bool:
        """Change a note, with retries after conflicts; False if the change refuses."""
        failure: ServiceError = Unavailable("ledger_untried", "the note was not written")
        for _ in range(_TRIES):
            note = self.store.note(name)
            text = change(note.text)
            if text is None:
                return False
            try:
                self.store.save_note(name, replace(note, text=text))
            except (Conflict, Unavailable, Unknown) as error:
                failure = error
            else:
                return True
        raise failure


def _words(text: str) -> list[list[str]]:
    """Read the words of a note, each with its time and its nonce; an unreadable word is free."""
    found = [each.split(":") for each in text.split()]
    return [each for each in found if len(each) == len(("word", "time", "nonce")) and each[1].isdigit()]


def _times(text: str) -> list[float]:
    """Read the times of a rate; empty if they are invalid."""
    try:
        return [float(each) for each in text.split()]
    except ValueError:
        return []
