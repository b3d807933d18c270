-- For whom a call spoke beside the patient to whom it was made: a member who leaves the household is not called once more.
CREATE TABLE covered (
    attempt_id INTEGER NOT NULL REFERENCES attempt,
    key        TEXT NOT NULL,
    PRIMARY KEY (attempt_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX covered_by_key ON covered (key);

-- Members whom a newer list has not in the household any more: who asks about them finds them.
CREATE TABLE former_member (
    entry_id INTEGER NOT NULL REFERENCES entry,
    key      TEXT NOT NULL,
    line     INTEGER NOT NULL,
    patient  TEXT NOT NULL,
    PRIMARY KEY (entry_id, key)
) STRICT, WITHOUT ROWID;
