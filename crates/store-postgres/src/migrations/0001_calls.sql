-- Everything that the first version remembers. Moments are whole milliseconds since 1970. Codes
-- (status, state) are those of the written form that all stores share, and never change their
-- meaning. Texts are compared byte by byte ("C"), which is what an index does fastest.

-- One row per call. What is neither searched nor sorted nor listed is in `body`. `shelf` is where a
-- list looks for the call: its status once a dial has ended, and one code (0) for every status before
-- that, because a call passes through those in seconds. `alive` says that a leg of it may be alive.
-- `check_at` may be earlier than needed, never later. `events` counts the rows of the call's history.
-- What changes with every word of the carrier is in no index, and pages keep some room, so that such
-- a change touches one page and no index.
CREATE TABLE calls (
    id            uuid             NOT NULL PRIMARY KEY,
    user_id       text COLLATE "C" NOT NULL,
    to_number     text COLLATE "C" NOT NULL,
    from_number   text COLLATE "C" NOT NULL,
    status        bigint           NOT NULL,
    attempt_count bigint           NOT NULL,
    should_retry  boolean          NOT NULL,
    created_at    bigint           NOT NULL,
    shelf         bigint           NOT NULL,
    alive         boolean          NOT NULL,
    due_at        bigint,
    check_at      bigint,
    events        bigint           NOT NULL,
    body          text             NOT NULL
) WITH (fillfactor = 70);

-- A user's calls of one status, newest first, at any depth and with any number of calls stored; the
-- list of all is merged from these few, so that a new call enters one index and not two.
CREATE INDEX calls_by_shelf ON calls (user_id, shelf, created_at DESC, id DESC);

-- A user's calls whose leg may be alive: where a list looks for one of those statuses, so that it
-- need not look through everything that waits. Few at any time, so that this index stays small.
CREATE INDEX calls_alive ON calls (user_id, created_at DESC, id DESC) WHERE alive;

-- A user's calls to one number, and the other calls between two numbers when a leg may be of either.
CREATE INDEX calls_by_number ON calls (to_number, user_id, created_at DESC, id DESC);

-- The dial queue: only calls that wait are in it, so that it stays small whatever is stored.
CREATE INDEX calls_due ON calls (due_at, id) WHERE due_at IS NOT NULL;

-- Whom to look at for anything but a dial (ask the carrier, hang up, give up): only calls that are
-- not over, or that are still asked about.
CREATE INDEX calls_to_check ON calls (check_at, id) WHERE check_at IS NOT NULL;

-- What happened to a call, in order; rows are added, never changed.
CREATE TABLE events (
    call_id uuid   NOT NULL,
    seq     bigint NOT NULL,
    at      bigint NOT NULL,
    body    text   NOT NULL,
    PRIMARY KEY (call_id, seq)
);

-- Which attempt owns a leg at the carrier: a callback may name the leg alone, and no leg has two owners.
CREATE TABLE sids (
    sid     text COLLATE "C" NOT NULL PRIMARY KEY,
    call_id uuid             NOT NULL,
    attempt bigint           NOT NULL
);

-- The right to send one request for one attempt, and what became of it. The key is the promise: a
-- second permit for an attempt takes the place of one that is proven never to have been executed
-- (state 1), or there is none.
CREATE TABLE permits (
    call_id     uuid             NOT NULL,
    attempt     bigint           NOT NULL,
    account     text COLLATE "C" NOT NULL,
    from_number text COLLATE "C" NOT NULL,
    to_number   text COLLATE "C" NOT NULL,
    state       bigint           NOT NULL,
    granted_at  bigint           NOT NULL,
    PRIMARY KEY (call_id, attempt)
);

-- Two dials between the same numbers are never undecided (granted 0, in doubt 4) at once, whichever
-- process asks: a leg found at the carrier could belong to either. Holds undecided permits only,
-- hence is small, and lists them at a start.
CREATE UNIQUE INDEX permits_undecided ON permits (account, from_number, to_number) WHERE state IN (0, 4);

-- Keys that clients gave so that a repeat of a request finds its call.
CREATE TABLE keys (
    key        text COLLATE "C" NOT NULL PRIMARY KEY,
    body_hash  bytea            NOT NULL,
    call_id    uuid             NOT NULL,
    created_at bigint           NOT NULL
);

-- What the carrier said that no attempt could be found for; applied, in this order, when one is.
-- `named_id` is absent where the carrier's request named no call.
CREATE TABLE orphans (
    n             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sid           text COLLATE "C" NOT NULL,
    named_id      uuid,
    named_attempt bigint           NOT NULL,
    received_at   bigint           NOT NULL,
    body          text             NOT NULL
);

-- Finds what waits for a leg that has just become known, and whether a callback is a repeat.
CREATE INDEX orphans_by_sid ON orphans (sid, n);

-- Finds what waits for an attempt that was named before it was known.
CREATE INDEX orphans_by_name ON orphans (named_id, n) WHERE named_id IS NOT NULL;

-- Whether may be dialled; always exactly one row, changed by operators and by what befalls the
-- account, not by calls. `restored` says that everything may be older than what was last dialled from;
-- so that a change of servers is noticed, `system` and `timeline` name the one that wrote here last,
-- and `seen_at` is when a process last did. One process, the leader, does what only one should, as
-- long as it says again and again that it is there.
CREATE TABLE dialling (
    one           bigint NOT NULL PRIMARY KEY CHECK (one = 1),
    restored      bigint NOT NULL,
    system        bigint,
    timeline      text,
    seen_at       bigint,
    leader        bigint,
    leads_until   bigint,
    paused_at     bigint,
    hold_since    bigint,
    hold_probe_at bigint,
    hold_message  text
);

INSERT INTO dialling (one, restored) VALUES (1, 0);

-- The processes that dial. No dial is decided by it: who is in it with `listens` and holds its lock no
-- more has ended, so that nobody need wait for what it claimed.
CREATE TABLE nodes (
    node    bigserial NOT NULL PRIMARY KEY,
    name    text      NOT NULL,
    seen_at bigint    NOT NULL,
    listens boolean   NOT NULL DEFAULT false
);

-- When the pace of all processes together owes nothing any more, and when one of them last looked, in
-- microseconds since 1970; always exactly one row. `taken` is what was taken last.
CREATE TABLE pace (
    one      bigint NOT NULL PRIMARY KEY CHECK (one = 1),
    clear_us bigint NOT NULL,
    as_of_us bigint NOT NULL,
    taken    bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO pace (one, clear_us, as_of_us, taken) VALUES (1, 0, 0, 0);

-- Which process was told of a call: to dial it (kind 0), or to look at it (kind 1). It saves work and
-- decides nothing, so that it need not survive the server's fall.
CREATE UNLOGGED TABLE claims (
    call_id uuid   NOT NULL,
    kind    bigint NOT NULL,
    node    bigint NOT NULL,
    until   bigint NOT NULL,
    PRIMARY KEY (call_id, kind)
);

-- Finds what has run out.
CREATE INDEX claims_until ON claims (until);

-- How many calls are being dialled or live, and when the pace owes nothing any more. What all calls
-- change is spread over 32 rows, a connection always taking the same one, so that transactions
-- at the same time seldom wait for each other; the truth is the sum, and the latest moment.
CREATE TABLE live (
    slot          bigint NOT NULL PRIMARY KEY,
    n             bigint NOT NULL,
    pace_clear_at bigint
) WITH (fillfactor = 10);

INSERT INTO live (slot, n) SELECT slot, 0 FROM generate_series(0, 31) AS slot;

-- How many calls a user has in each status, changed with the calls themselves: counting rows would
-- cost more with every call stored. Spread over the same 32 slots.
CREATE TABLE totals (
    user_id text COLLATE "C" NOT NULL,
    status  bigint           NOT NULL,
    slot    bigint           NOT NULL,
    n       bigint           NOT NULL,
    PRIMARY KEY (user_id, status, slot)
) WITH (fillfactor = 50);
