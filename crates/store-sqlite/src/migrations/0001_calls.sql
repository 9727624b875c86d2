-- Everything that the first version remembers. Moments are whole milliseconds since 1970. Codes
-- (status, state) are those of the written form that all stores share, and never change their
-- meaning.

-- One row per call. What is neither searched nor sorted nor listed is in `body`, last, so that a
-- list reads past it. `n` is short, so that other tables name a call in a few bytes, and grows, so
-- that new rows land at the end. `shelf` is where a list looks for the call: its status once a dial
-- has ended, and one code (0) for every status before that, because a call passes through those in
-- seconds. `alive` says that a leg of it may be alive. `check_at` may be earlier than needed, never
-- later. `events` counts the rows of the call's history.
CREATE TABLE calls (
    n             INTEGER PRIMARY KEY,
    id            BLOB    NOT NULL,
    user_id       TEXT    NOT NULL,
    to_number     TEXT    NOT NULL,
    from_number   TEXT    NOT NULL,
    status        INTEGER NOT NULL,
    attempt_count INTEGER NOT NULL,
    should_retry  INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    shelf         INTEGER NOT NULL,
    alive         INTEGER NOT NULL,
    due_at        INTEGER,
    check_at      INTEGER,
    events        INTEGER NOT NULL,
    body          TEXT    NOT NULL
) STRICT;

-- Finds a call by the id in a URL. Ids begin with their time, so that this index too grows at its end.
CREATE UNIQUE INDEX calls_by_id ON calls (id);

-- A user's calls of one status, newest first, at any depth and with any number of calls stored; the
-- list of all is merged from these few, so that a new call enters one index and not two.
CREATE INDEX calls_by_shelf ON calls (user_id, shelf, created_at DESC, id DESC);

-- A user's calls whose leg may be alive: where a list looks for one of those statuses, so that it
-- need not look through everything that waits. Few at any time, so that this index stays small.
CREATE INDEX calls_alive ON calls (user_id, created_at DESC, id DESC) WHERE alive = 1;

-- A user's calls to one number, and the other calls between two numbers when a leg may be of either.
CREATE INDEX calls_by_number ON calls (to_number, user_id, created_at DESC, id DESC);

-- The dial queue: only calls that wait are in it, so that it stays small whatever is stored. With
-- the id, so that looking who is due reads nothing else.
CREATE INDEX calls_due ON calls (due_at, id) WHERE due_at IS NOT NULL;

-- Whom to look at for anything but a dial (ask the carrier, hang up, give up): only calls that are
-- not over, or that are still asked about.
CREATE INDEX calls_to_check ON calls (check_at) WHERE check_at IS NOT NULL;

-- What happened to a call, in order; rows are added, never changed. Kept by call, so that a history
-- is read from one place.
CREATE TABLE events (
    call_n INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    body   TEXT    NOT NULL,
    PRIMARY KEY (call_n, seq)
) STRICT, WITHOUT ROWID;

-- Which attempt owns a leg at the carrier: a callback may name the leg alone, and no leg has two owners.
CREATE TABLE sids (
    sid     TEXT    PRIMARY KEY,
    call_n  INTEGER NOT NULL,
    attempt INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The right to send one request for one attempt, and what became of it. The key is the promise: a
-- second permit for an attempt takes the place of one that is proven never to have been executed
-- (state 1), or there is none.
CREATE TABLE permits (
    call_n      INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    account     TEXT    NOT NULL,
    from_number TEXT    NOT NULL,
    to_number   TEXT    NOT NULL,
    state       INTEGER NOT NULL,
    granted_at  INTEGER NOT NULL,
    PRIMARY KEY (call_n, attempt)
) STRICT, WITHOUT ROWID;

-- Two dials between the same numbers are never undecided (granted 0, in doubt 4) at once: a leg
-- found at the carrier could belong to either. Holds undecided permits only, hence is small, and
-- lists them at a start.
CREATE UNIQUE INDEX permits_undecided ON permits (account, from_number, to_number) WHERE state IN (0, 4);

-- Keys that clients gave so that a repeat of a request finds its call.
CREATE TABLE keys (
    key        TEXT    PRIMARY KEY,
    body_hash  BLOB    NOT NULL,
    call_n     INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the carrier said that no attempt could be found for; applied, in this order, when one is.
-- `named_id` is empty where the carrier's request named no call.
CREATE TABLE orphans (
    n             INTEGER PRIMARY KEY,
    sid           TEXT    NOT NULL,
    named_id      BLOB    NOT NULL,
    named_attempt INTEGER NOT NULL,
    received_at   INTEGER NOT NULL,
    body          TEXT    NOT NULL
) STRICT;

-- Finds what waits for a leg that has just become known, and whether a callback is a repeat.
CREATE INDEX orphans_by_sid ON orphans (sid);

-- Finds what waits for an attempt that was named before it was known.
CREATE INDEX orphans_by_name ON orphans (named_id) WHERE named_attempt > 0;

-- The dialling as a whole; always exactly one row. `boots` counts how often the file was opened for
-- dialling, `restored` says that it may be older than what was last dialled from, `live` counts the
-- calls being dialled or live.
CREATE TABLE dialling (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    boots         INTEGER NOT NULL,
    restored      INTEGER NOT NULL,
    live          INTEGER NOT NULL,
    paused_at     INTEGER,
    pace_clear_at INTEGER,
    hold_since    INTEGER,
    hold_probe_at INTEGER,
    hold_message  TEXT
) STRICT;

INSERT INTO dialling (one, boots, restored, live) VALUES (1, 0, 0, 0);

-- How many calls a user has in each status, changed with the calls themselves: counting rows would
-- cost more with every call stored.
CREATE TABLE totals (
    user_id TEXT    NOT NULL,
    status  INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (user_id, status)
) STRICT, WITHOUT ROWID;
