-- The ledger. Instants are INTEGER milliseconds since 1970 UTC; words are the ones the program's types define.
-- Migrations are only ever added: a ledger made by an older program is brought up to date when it is opened.

CREATE TABLE ledger (
    only       INTEGER PRIMARY KEY CHECK (only = 1),
    identity   TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE campaign (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    purpose    TEXT NOT NULL,
    source     TEXT NOT NULL,   -- the campaign file's text: resuming needs no file
    directory  TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE run (
    id          INTEGER PRIMARY KEY,
    campaign_id INTEGER NOT NULL REFERENCES campaign,
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    ending      TEXT,
    attested    INTEGER NOT NULL CHECK (attested IN (0, 1)),  -- the practice attests consent for the whole list
    listed      INTEGER NOT NULL DEFAULT 0 CHECK (listed IN (0, 1)),  -- the whole list is enrolled
    rows_read   INTEGER NOT NULL DEFAULT 0,
    accepted    INTEGER NOT NULL DEFAULT 0,
    rejected    INTEGER NOT NULL DEFAULT 0,
    duplicate   INTEGER NOT NULL DEFAULT 0,
    merged      INTEGER NOT NULL DEFAULT 0,
    CHECK (NOT listed OR rows_read = accepted + rejected + duplicate + merged)
) STRICT;

CREATE TABLE entry (
    id           INTEGER PRIMARY KEY,
    campaign_id  INTEGER NOT NULL REFERENCES campaign,
    run_id       INTEGER NOT NULL REFERENCES run,   -- the newest run whose list has it
    key          TEXT NOT NULL,
    line         INTEGER NOT NULL,
    organisation TEXT NOT NULL,
    phone        TEXT NOT NULL,
    alternatives TEXT NOT NULL,
    zones        TEXT NOT NULL,
    content      TEXT NOT NULL,
    not_after    INTEGER,
    state        TEXT NOT NULL CHECK (state IN ('ready', 'waiting', 'submitting', 'open', 'unknown', 'held', 'finished',
                     'failed', 'suppressed', 'withdrawn', 'expired', 'cancelled', 'lost_track')),
    due_at       INTEGER NOT NULL,   -- ready and waiting: not before this instant
    reason       TEXT,
    outcome      TEXT,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    UNIQUE (campaign_id, key),
    CHECK (state <> 'finished' OR outcome IS NOT NULL),
    CHECK (state NOT IN ('waiting', 'held', 'failed', 'suppressed') OR reason IS NOT NULL)
) STRICT;

CREATE INDEX entry_due ON entry (campaign_id, due_at, id) WHERE state IN ('ready', 'waiting');
CREATE INDEX entry_by_run ON entry (run_id, state);
CREATE INDEX entry_by_phone ON entry (phone);

-- The household members whom an entry's call covers.
CREATE TABLE member (
    entry_id INTEGER NOT NULL REFERENCES entry,
    key      TEXT NOT NULL,
    line     INTEGER NOT NULL,
    patient  TEXT NOT NULL,
    PRIMARY KEY (entry_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
    id           INTEGER PRIMARY KEY,
    entry_id     INTEGER NOT NULL REFERENCES entry,
    run_id       INTEGER NOT NULL REFERENCES run,
    number       INTEGER NOT NULL,   -- which call to this entry it is, if it is placed
    organisation TEXT NOT NULL,
    from_number  TEXT NOT NULL,
    to_number    TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('submitting', 'open', 'unknown', 'not_placed', 'refused', 'ended',
                     'absent', 'lost_track')),
    intent_at    INTEGER NOT NULL,
    answered_at  INTEGER,
    lost_at      INTEGER,            -- the last moment at which its request could have been accepted
    conversation TEXT UNIQUE,
    started_at   INTEGER,
    ended_at     INTEGER,
    outcome      TEXT,
    reason       TEXT,
    CHECK (state NOT IN ('open', 'ended', 'lost_track') OR conversation IS NOT NULL),
    CHECK (state <> 'unknown' OR lost_at IS NOT NULL),
    CHECK ((state = 'ended') = (outcome IS NOT NULL))
) STRICT;

CREATE INDEX attempt_by_entry ON attempt (entry_id);
CREATE INDEX attempt_by_run ON attempt (run_id);
CREATE INDEX attempt_by_number ON attempt (to_number, intent_at);
-- One attempt of an entry at a time, and one unresolved attempt per number: number and time must identify it (rule R).
CREATE UNIQUE INDEX attempt_under_way ON attempt (entry_id) WHERE state IN ('submitting', 'open', 'unknown');
CREATE UNIQUE INDEX attempt_unresolved ON attempt (to_number) WHERE state IN ('submitting', 'unknown');

-- What happened, in order, and never changed.
CREATE TABLE event (
    id           INTEGER PRIMARY KEY,
    at           INTEGER NOT NULL,
    run_id       INTEGER REFERENCES run,
    entry_id     INTEGER REFERENCES entry,
    attempt_id   INTEGER REFERENCES attempt,
    kind         TEXT NOT NULL,
    state_before TEXT,
    state_after  TEXT,
    reason       TEXT,
    detail       TEXT
) STRICT;

CREATE INDEX event_by_entry ON event (entry_id);

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;

CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;

CREATE TABLE suppression (
    phone      TEXT NOT NULL,
    scope      TEXT NOT NULL,   -- 'all' or one purpose
    source     TEXT NOT NULL,
    at         INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (phone, scope)
) STRICT, WITHOUT ROWID;

-- Which state may follow which: the last guard behind `State::after`. A test compares the two.
CREATE TABLE legal_transition (
    state_before TEXT NOT NULL,
    state_after  TEXT NOT NULL,
    PRIMARY KEY (state_before, state_after)
) STRICT, WITHOUT ROWID;

INSERT INTO legal_transition (state_before, state_after) VALUES
    ('ready', 'submitting'), ('ready', 'waiting'), ('ready', 'suppressed'), ('ready', 'held'), ('ready', 'withdrawn'),
    ('ready', 'expired'), ('ready', 'cancelled'),
    ('waiting', 'submitting'), ('waiting', 'waiting'), ('waiting', 'suppressed'), ('waiting', 'held'),
    ('waiting', 'withdrawn'), ('waiting', 'expired'), ('waiting', 'cancelled'),
    ('submitting', 'open'), ('submitting', 'ready'), ('submitting', 'failed'), ('submitting', 'unknown'),
    ('open', 'finished'), ('open', 'waiting'), ('open', 'lost_track'),
    ('unknown', 'open'), ('unknown', 'held'), ('unknown', 'ready'),
    ('held', 'open'), ('held', 'ready'), ('held', 'withdrawn'), ('held', 'cancelled'),
    ('suppressed', 'ready'), ('suppressed', 'withdrawn'),
    ('withdrawn', 'ready'), ('expired', 'ready'),
    ('lost_track', 'finished'), ('lost_track', 'waiting');

CREATE TRIGGER entry_moves_legally BEFORE UPDATE OF state ON entry
WHEN NOT EXISTS (
    SELECT 1 FROM legal_transition WHERE state_before = OLD.state AND state_after = NEW.state
) AND OLD.state <> NEW.state
BEGIN
    SELECT RAISE(ABORT, 'illegal transition');
END;
