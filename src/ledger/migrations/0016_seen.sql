-- What our own calls show as their `medium` on the vendor's list, under way and ended: what else is on it is no call.
-- An empty word: they show none.
CREATE TABLE call_medium (
    organisation TEXT NOT NULL,
    ended        INTEGER NOT NULL CHECK (ended IN (0, 1)),
    word         TEXT NOT NULL,
    PRIMARY KEY (organisation, ended, word)
) STRICT, WITHOUT ROWID;

-- Events up to this one may lie in the future: they were written while the machine's clock was ahead, and an operator has
-- said so (`ledger adopt`). They stay as they were written, and no longer count as the newest.
ALTER TABLE ledger ADD COLUMN disowned_times_up_to INTEGER NOT NULL DEFAULT 0;

-- When an operator adopted the ledger: calls that the other one placed until then may not be on the vendor's list yet.
ALTER TABLE ledger ADD COLUMN adopted_at INTEGER;

-- Each run asks again for the few that were lost track of.
CREATE INDEX attempt_lost_track ON attempt (intent_at) WHERE state = 'lost_track';

-- Whether a call's conversation was found on the vendor's list rather than named by the answer to its request: what it
-- shows as its medium teaches nothing about calls.
ALTER TABLE attempt ADD COLUMN found INTEGER NOT NULL DEFAULT 0 CHECK (found IN (0, 1));

-- An earlier call of an entry that waits for its next one may turn out to have settled it.
INSERT INTO legal_transition (state_before, state_after) VALUES ('ready', 'finished'), ('waiting', 'finished');
