-- A run of an approved plan dials what the plan says and nothing else: these entries, with this number and this content,
-- once each.
ALTER TABLE run ADD COLUMN plan TEXT;   -- the plan's id

CREATE TABLE planned (
    run_id   INTEGER NOT NULL REFERENCES run,
    entry_id INTEGER NOT NULL REFERENCES entry,
    phone    TEXT NOT NULL,
    content  TEXT NOT NULL,
    calls    INTEGER NOT NULL,   -- the calls to the entry when the plan was made
    PRIMARY KEY (run_id, entry_id)
) STRICT, WITHOUT ROWID;

-- What a run's list changed about the campaign's entries.
ALTER TABLE run ADD COLUMN entries_new INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN entries_changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN entries_renumbered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN entries_renumbered_under_way INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN entries_withdrawn INTEGER NOT NULL DEFAULT 0;

-- How a run ended, in numbers, such as those of the rule that stopped it.
ALTER TABLE run ADD COLUMN ending_detail TEXT;

-- What a decision was made from, as JSON.
ALTER TABLE event ADD COLUMN evidence TEXT;
