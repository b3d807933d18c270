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

-- Each run asks again for the few that were lost track of.
CREATE INDEX attempt_lost_track ON attempt (intent_at) WHERE state = 'lost_track';

-- The call of a cancelled entry may turn out to have ended: an opt-out in it counts, and the decision stays.
INSERT INTO legal_transition (state_before, state_after) VALUES ('cancelled', 'cancelled');
