-- What makes a long list long to enrol, and large on disk.

-- The index that keeps keys apart becomes one with a name: a long list is enrolled without it, and it is made anew, at one
-- go, in the same commit. What is on disk stays as it is, see 0008.
PRAGMA writable_schema = ON;

UPDATE sqlite_schema SET sql = replace(sql, 'UNIQUE (campaign_id, key),', '') WHERE type = 'table' AND name = 'entry';
UPDATE sqlite_schema SET name = 'entry_by_key', sql = 'CREATE UNIQUE INDEX entry_by_key ON entry (campaign_id, key)'
WHERE type = 'index' AND name = 'sqlite_autoindex_entry_1';

PRAGMA writable_schema = RESET;

-- Entries that were enrolled one after the other, and stood alike then, share an event: the last of them. NULL: the event is
-- its entry's alone.
ALTER TABLE event ADD COLUMN through INTEGER REFERENCES entry;

CREATE INDEX event_shared ON event (entry_id) WHERE through IS NOT NULL;

CREATE VIEW enrolled_together AS SELECT id, entry_id AS first, through AS last FROM event WHERE through IS NOT NULL;

-- Texts that many entries have, each once: zones, and how their contents end (a voicemail says little more than a name).
CREATE TABLE phrase (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

ALTER TABLE entry ADD COLUMN zones_phrase INTEGER REFERENCES phrase;   -- NULL: they stand in `zones`
ALTER TABLE entry ADD COLUMN ending INTEGER REFERENCES phrase;         -- of `content`; NULL: it is whole

-- Entries with their texts whole.
CREATE VIEW whole_entry AS
SELECT id, campaign_id, run_id, key, line, organisation, phone, alternatives,
    coalesce((SELECT text FROM phrase WHERE id = zones_phrase), zones) AS zones,
    content || coalesce((SELECT text FROM phrase WHERE id = ending), '') AS content,
    not_after, state, due_at, reason, outcome
FROM entry;
