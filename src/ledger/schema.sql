-- The ledger's schema. Instants are INTEGER milliseconds since 1970 UTC; states, reasons, outcomes and kinds are the
-- words of the program's types. Until the first release this file may change freely; after that, a change needs a new
-- format number (`FORMAT` in open.rs).

-- The ledger itself: one row.
CREATE TABLE ledger (
    only                 INTEGER PRIMARY KEY CHECK (only = 1),
    identity             TEXT NOT NULL,
    created_at           INTEGER NOT NULL,
    -- Identifies the ledger's file, so that a copy is detected (see file_identity.rs). NULL: not stored yet.
    inode                INTEGER,
    born_at              INTEGER,   -- nanoseconds since 1970 UTC; NULL if the file system has no birth times
    -- How often an operator adopted the ledger, and when last: calls that another copy placed until then may not be on
    -- the vendor's list yet.
    adoptions            INTEGER NOT NULL DEFAULT 0,
    adopted_at           INTEGER,
    -- Events up to this id may be dated in the future: an operator confirmed (`ledger adopt`) that the machine's clock
    -- was ahead. They keep their times, but do not count as the newest.
    disowned_times_up_to INTEGER NOT NULL DEFAULT 0,
    -- Whether the calls are a rehearsal's. NULL: no run yet.
    rehearsal            INTEGER CHECK (rehearsal IN (0, 1)),
    -- When what was said was last removed for its age: the tables are written anew for that, so once a day is enough, unless a campaign keeps it for less.
    words_removed_at     INTEGER
) STRICT;

CREATE TABLE campaign (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    purpose    TEXT NOT NULL,
    source     TEXT NOT NULL,   -- the campaign file's text: resuming needs no file
    directory  TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    keep_words_for INTEGER NOT NULL,   -- how long what was said is kept, in milliseconds
    -- The kind of vendor that its newest run's calls went to: calls of one vendor cannot be followed at another.
    vendor     TEXT,
    -- Who paused it, and when: no run of it places a call until it is resumed, or until `paused_until`.
    paused_by    TEXT,
    paused_at    INTEGER,
    paused_until INTEGER,
    CHECK ((paused_by IS NULL) = (paused_at IS NULL)),
    CHECK (paused_until IS NULL OR paused_by IS NOT NULL)
) STRICT;

CREATE TABLE run (
    id            INTEGER PRIMARY KEY,
    campaign_id   INTEGER NOT NULL REFERENCES campaign,
    started_at    INTEGER NOT NULL,
    attested      INTEGER NOT NULL CHECK (attested IN (0, 1)),  -- the practice attests consent for the whole list
    max_calls_each INTEGER NOT NULL,  -- the calls that the campaign allows for one patient
    plan          TEXT,   -- the id of the approved plan that the run is confined to; NULL: none
    ended_at      INTEGER,
    ending        TEXT,
    ending_detail TEXT,   -- the ending as a sentence, such as the numbers of a stop rule

    -- Whether the list is enrolled to the end, and its rows counted by result.
    listed    INTEGER NOT NULL DEFAULT 0 CHECK (listed IN (0, 1)),
    rows_read INTEGER NOT NULL DEFAULT 0,
    accepted  INTEGER NOT NULL DEFAULT 0,
    rejected  INTEGER NOT NULL DEFAULT 0,
    duplicate INTEGER NOT NULL DEFAULT 0,
    merged    INTEGER NOT NULL DEFAULT 0,

    -- What the list changed about the campaign's entries.
    entries_new                  INTEGER NOT NULL DEFAULT 0,
    entries_changed              INTEGER NOT NULL DEFAULT 0,
    entries_renumbered           INTEGER NOT NULL DEFAULT 0,
    entries_renumbered_under_way INTEGER NOT NULL DEFAULT 0,
    entries_corrected            INTEGER NOT NULL DEFAULT 0,
    entries_excluded             INTEGER NOT NULL DEFAULT 0,
    entries_allowed              INTEGER NOT NULL DEFAULT 0,
    entries_returned             INTEGER NOT NULL DEFAULT 0,
    entries_withdrawn            INTEGER NOT NULL DEFAULT 0,

    CHECK (NOT listed OR rows_read = accepted + rejected + duplicate + merged)
) STRICT;

-- One patient or household of a campaign: one unit to call. SQLite builds a table for every IN list of three words or
-- more, again for each row, so words that are checked for every call are compared one by one.
CREATE TABLE entry (
    id               INTEGER PRIMARY KEY,
    campaign_id      INTEGER NOT NULL REFERENCES campaign,
    run_id           INTEGER NOT NULL REFERENCES run,   -- the newest run whose list has the entry
    listed_since     INTEGER NOT NULL REFERENCES run,   -- every list of the campaign from this run to that one has it
    key              TEXT NOT NULL,
    line             INTEGER NOT NULL,                  -- its row number in that list
    organisation     TEXT NOT NULL,
    location         TEXT,                              -- NULL in a campaign without locations
    phone            TEXT NOT NULL,
    alternatives     TEXT NOT NULL,                     -- the alternate numbers, as JSON
    zones            TEXT NOT NULL,                     -- as JSON
    content          TEXT NOT NULL,                     -- patient, appointment and texts, as JSON
    not_after        INTEGER,
    state            TEXT NOT NULL CHECK (state = 'ready' OR state = 'submitting' OR state = 'open' OR state = 'finished'
                         OR state = 'waiting' OR state = 'unknown' OR state = 'held' OR state = 'failed'
                         OR state = 'suppressed' OR state = 'withdrawn' OR state = 'expired' OR state = 'cancelled'
                         OR state = 'lost_track'),
    due_at           INTEGER NOT NULL,                  -- ready and waiting: not before this instant
    reason           TEXT,
    outcome          TEXT,
    -- The state and reason that the newest list demands for an entry that is not settled, applied once it is callable.
    meanwhile        TEXT CHECK (meanwhile IS NULL OR meanwhile IN ('suppressed', 'held', 'withdrawn')),
    meanwhile_reason TEXT,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    CHECK (state <> 'finished' OR outcome IS NOT NULL),
    CHECK (reason IS NOT NULL OR state <> 'waiting' AND state <> 'held' AND state <> 'failed' AND state <> 'suppressed'),
    CHECK ((meanwhile IS NULL) = (meanwhile_reason IS NULL))
) STRICT;

-- Each organisation claims its own entries.
CREATE INDEX entry_due ON entry (campaign_id, organisation, due_at, id) WHERE state IN ('ready', 'waiting');
CREATE INDEX entry_by_run ON entry (run_id, state);
-- Rebuilt at the end of a long list (see enrol.rs).
CREATE INDEX entry_by_phone ON entry (phone);
CREATE UNIQUE INDEX entry_by_key ON entry (campaign_id, key);

-- Entries that `cancel` cancelled, with what each was before, which `cancel --undo` restores. An entry that could not be
-- called when it was cancelled keeps its state; it is cancelled as soon as it could be called again, or is held.
CREATE TABLE cancellation (
    entry_id      INTEGER PRIMARY KEY REFERENCES entry,
    decision      INTEGER NOT NULL,         -- one `cancel` is one decision; a later one has a higher number
    run_id        INTEGER REFERENCES run,   -- the run that was named; NULL: the whole campaign
    at            INTEGER NOT NULL,
    decided_by    TEXT NOT NULL,
    state_before  TEXT CHECK (state_before = 'ready' OR state_before = 'waiting' OR state_before = 'held'),
    reason_before TEXT,
    CHECK (reason_before IS NULL OR state_before IS NOT NULL)
) STRICT;
-- Earlier runs whose lists had an entry, where a list without it came between: from one run to another.
CREATE TABLE earlier_listing (
    entry_id INTEGER NOT NULL REFERENCES entry,
    from_run INTEGER NOT NULL REFERENCES run,
    to_run   INTEGER NOT NULL REFERENCES run,
    PRIMARY KEY (entry_id, from_run)
) STRICT, WITHOUT ROWID;

-- The household members that an entry's call covers.
CREATE TABLE member (
    entry_id INTEGER NOT NULL REFERENCES entry,
    key      TEXT NOT NULL,
    line     INTEGER NOT NULL,
    patient  TEXT NOT NULL,   -- as JSON
    PRIMARY KEY (entry_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX member_by_key ON member (key);

-- Members that a newer list no longer has in the household, kept so that `explain` still finds them.
CREATE TABLE former_member (
    entry_id INTEGER NOT NULL REFERENCES entry,
    key      TEXT NOT NULL,
    line     INTEGER NOT NULL,
    patient  TEXT NOT NULL,   -- as JSON
    PRIMARY KEY (entry_id, key)
) STRICT, WITHOUT ROWID;

-- A patient with an entry of its own since: what was decided about the household holds.
CREATE INDEX former_member_by_key ON former_member (key);

-- The only calls that a run of an approved plan may place: these entries, with this number and content, once each.
CREATE TABLE planned (
    run_id   INTEGER NOT NULL REFERENCES run,
    entry_id INTEGER NOT NULL REFERENCES entry,
    phone    TEXT NOT NULL,
    content  TEXT NOT NULL,
    calls    INTEGER NOT NULL,   -- calls to the patient when the plan was made, alone or with the household
    PRIMARY KEY (run_id, entry_id)
) STRICT, WITHOUT ROWID;

-- One authorised POST.
CREATE TABLE attempt (
    id           INTEGER PRIMARY KEY,
    entry_id     INTEGER NOT NULL REFERENCES entry,
    run_id       INTEGER NOT NULL REFERENCES run,
    number       INTEGER NOT NULL,   -- the ordinal among the entry's placed calls: 1, 2, …
    organisation TEXT NOT NULL,
    from_number  TEXT NOT NULL,
    to_number    TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state = 'submitting' OR state = 'open' OR state = 'ended' OR state = 'unknown'
                     OR state = 'not_placed' OR state = 'refused' OR state = 'absent' OR state = 'lost_track'),
    intent_at    INTEGER NOT NULL,
    answered_at  INTEGER,
    lost_at      INTEGER,            -- the last instant at which its request could have been accepted
    conversation TEXT UNIQUE,
    -- Whether the conversation was found on the vendor's list instead of named in the response: then its `medium` is no
    -- evidence of what our calls show.
    found        INTEGER NOT NULL DEFAULT 0 CHECK (found IN (0, 1)),
    -- Whether the call was not in this ledger, and was taken over from the vendor's list.
    taken_over   INTEGER NOT NULL DEFAULT 0 CHECK (taken_over IN (0, 1)),
    started_at   INTEGER,
    ended_at     INTEGER,
    outcome      TEXT,
    reason       TEXT,
    -- What may have been said: no call to the number until a person has read it. NULL: nothing, or a person has decided.
    doubt        TEXT CHECK (doubt IS NULL OR doubt IN ('possible_opt_out', 'possibly_deceased')),
    doubt_at     INTEGER,            -- since when it is, or was, in doubt
    reviewed_at  INTEGER,            -- when a person decided
    CHECK (doubt IS NULL OR doubt_at IS NOT NULL),
    CHECK (doubt IS NULL OR reviewed_at IS NULL),
    CHECK (conversation IS NOT NULL OR state <> 'open' AND state <> 'ended' AND state <> 'lost_track'),
    CHECK (state <> 'unknown' OR lost_at IS NOT NULL),
    CHECK ((state = 'ended') = (outcome IS NOT NULL))
) STRICT;

CREATE INDEX attempt_by_entry ON attempt (entry_id);
CREATE INDEX attempt_by_run ON attempt (run_id);
CREATE INDEX attempt_by_number ON attempt (to_number, intent_at);
-- Each claim looks up whether a conversation with the number waits for a person.
CREATE INDEX attempt_in_doubt ON attempt (to_number) WHERE doubt IS NOT NULL;
-- Each run polls again the few calls that were lost track of.
CREATE INDEX attempt_lost_track ON attempt (intent_at) WHERE state = 'lost_track';
-- One attempt of an entry at a time, and one unresolved attempt per number: number and time must identify it (rule R).
CREATE UNIQUE INDEX attempt_under_way ON attempt (entry_id)
WHERE state = 'submitting' OR state = 'open' OR state = 'unknown';
CREATE UNIQUE INDEX attempt_unresolved ON attempt (to_number) WHERE state IN ('submitting', 'unknown');

-- The other patients that a call covered: a member who leaves the household is not called again.
CREATE TABLE covered (
    attempt_id INTEGER NOT NULL REFERENCES attempt,
    key        TEXT NOT NULL,
    PRIMARY KEY (attempt_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX covered_by_key ON covered (key);

-- What was said in a conversation, as far as the vendor's fields tell it: one row for each attempt that ended, until it
-- is removed for its age or by a purge. Texts are of bounded length.
CREATE TABLE conversation_words (
    attempt_id INTEGER PRIMARY KEY REFERENCES attempt,
    tags       TEXT NOT NULL,      -- as a JSON array
    topic      TEXT,
    summary    TEXT,
    actions    TEXT NOT NULL,      -- as a JSON array
    duration   REAL,               -- in the vendor's unit
    is_whole   INTEGER NOT NULL CHECK (is_whole IN (0, 1)),   -- 0: a text was cut
    kept_at    INTEGER NOT NULL
) STRICT;

-- What the front desk has ticked off: an entry's item as it was then, which is its group after its last attempt. A
-- further call or another outcome makes a new item.
CREATE TABLE worklist_tick (
    id         INTEGER PRIMARY KEY,
    entry_id   INTEGER NOT NULL REFERENCES entry,
    work_group TEXT NOT NULL,
    attempt_id INTEGER REFERENCES attempt,   -- NULL: the entry was never called
    at         INTEGER NOT NULL,
    ticked_by  TEXT NOT NULL,
    note       TEXT,                         -- until it is removed for its age or by a purge
    undone_at  INTEGER,
    undone_by  TEXT
) STRICT;

CREATE INDEX worklist_tick_by_entry ON worklist_tick (entry_id) WHERE undone_at IS NULL;

-- The files for the practice's own software, numbered.
CREATE TABLE writeback (
    number      INTEGER PRIMARY KEY,
    campaign_id INTEGER NOT NULL REFERENCES campaign,
    at          INTEGER NOT NULL,
    made_by     TEXT NOT NULL,
    format      TEXT NOT NULL,
    calls       INTEGER NOT NULL
) STRICT;

-- The bytes of these files, until they are removed for their age or by a purge.
CREATE TABLE writeback_content (
    number  INTEGER PRIMARY KEY REFERENCES writeback,
    content BLOB NOT NULL
) STRICT;

-- The calls that the batches tell: each in one batch at most.
CREATE TABLE writeback_call (
    attempt_id INTEGER PRIMARY KEY REFERENCES attempt,
    batch      INTEGER NOT NULL REFERENCES writeback
) STRICT;

-- What happened, in order; append-only.
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
    outcome      TEXT,   -- the outcome that the event gave to a conversation
    detail       TEXT,
    evidence     TEXT   -- what a decision was based on, as JSON
) STRICT;

CREATE INDEX event_by_entry ON event (entry_id);
-- Every start of a run looks up the newest event.
CREATE INDEX event_by_time ON event (at);

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;

CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;

-- The suppression list: numbers that must not be called.
CREATE TABLE suppression (
    phone      TEXT NOT NULL,
    scope      TEXT NOT NULL,   -- 'all' or one purpose
    source     TEXT NOT NULL,
    at         INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (phone, scope)
) STRICT, WITHOUT ROWID;

-- The numbers that must not be called now: the suppression list, and those with a conversation that a person has to read.
CREATE VIEW barred_number AS
SELECT phone, scope, source, at, expires_at, 0 AS is_pending_review FROM suppression
UNION ALL
SELECT to_number, 'all',
    CASE doubt
        WHEN 'possible_opt_out' THEN 'possible opt-out in a conversation, pending review'
        ELSE 'possibly deceased by a conversation, pending review'
    END,
    doubt_at, NULL, 1
FROM attempt WHERE doubt IS NOT NULL;

-- Our caller ids, and the instant up to which this ledger is known to hold every call that each placed (its watermark):
-- advanced by every claim and by every scan of the vendor's list that found no unrecorded call. An older copy of the
-- ledger put back in its place holds fewer calls than that list shows since the watermark.
CREATE TABLE line (
    organisation TEXT NOT NULL,
    from_number  TEXT NOT NULL,
    in_step_at   INTEGER NOT NULL,
    -- The ledger's `adoptions` at the caller id's last scan: the first scan after each adoption takes over the calls
    -- that the ledger lacks.
    adoptions    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (organisation, from_number)
) STRICT, WITHOUT ROWID;

-- The `medium` words that our own calls show on the vendor's list, in flight and ended: rows with other words are no
-- calls.
CREATE TABLE call_medium (
    organisation TEXT NOT NULL,
    ended        INTEGER NOT NULL CHECK (ended IN (0, 1)),
    word         TEXT NOT NULL,   -- empty: the calls show none
    PRIMARY KEY (organisation, ended, word)
) STRICT, WITHOUT ROWID;

-- The allowed state changes: the last guard behind `State::after`. A test compares the two.
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
    -- An earlier call may turn out to have settled an entry that waits for its next one.
    ('ready', 'finished'), ('waiting', 'finished'),
    ('submitting', 'open'), ('submitting', 'ready'), ('submitting', 'failed'), ('submitting', 'unknown'),
    ('open', 'finished'), ('open', 'waiting'), ('open', 'lost_track'),
    ('unknown', 'open'), ('unknown', 'held'), ('unknown', 'ready'),
    ('held', 'open'), ('held', 'ready'), ('held', 'withdrawn'), ('held', 'cancelled'),
    -- A person has to read what was said, or has read it.
    ('open', 'held'), ('lost_track', 'held'), ('finished', 'held'), ('failed', 'held'), ('suppressed', 'held'),
    ('withdrawn', 'held'), ('expired', 'held'), ('cancelled', 'held'), ('held', 'finished'), ('held', 'waiting'),
    -- Newer outcome rules.
    ('finished', 'finished'), ('finished', 'waiting'),
    ('suppressed', 'ready'), ('suppressed', 'withdrawn'),
    ('withdrawn', 'ready'), ('expired', 'ready'),
    -- A person may settle an entry that was lost track of or refused for good, and make a refused one ready again.
    ('lost_track', 'finished'), ('lost_track', 'waiting'), ('lost_track', 'cancelled'),
    ('failed', 'ready'), ('failed', 'cancelled'),
    -- `cancel --undo`, which also holds again
    ('cancelled', 'ready'), ('cancelled', 'waiting'),
    -- A newer list may correct a number that was wrong, and forbid what an earlier one left off or held.
    ('finished', 'ready'), ('withdrawn', 'suppressed'), ('held', 'suppressed'), ('suppressed', 'suppressed'),
    ('held', 'held');

CREATE TRIGGER entry_moves_legally BEFORE UPDATE OF state ON entry
WHEN NOT EXISTS (
    SELECT 1 FROM legal_transition WHERE state_before = OLD.state AND state_after = NEW.state
) AND OLD.state <> NEW.state
BEGIN
    SELECT RAISE(ABORT, 'illegal transition');
END;
