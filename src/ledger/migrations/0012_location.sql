-- Which of a practice's places an entry is of, where its campaign has lines.
ALTER TABLE entry ADD COLUMN location TEXT;

DROP VIEW whole_entry;

CREATE VIEW whole_entry AS
SELECT id, campaign_id, run_id, key, line, organisation, location, phone, alternatives,
    coalesce((SELECT text FROM phrase WHERE id = zones_phrase), zones) AS zones,
    content || coalesce((SELECT text FROM phrase WHERE id = ending), '') AS content,
    not_after, state, due_at, reason, outcome
FROM entry;

-- Each organisation's entries are claimed on its own budget.
DROP INDEX entry_due;
CREATE INDEX entry_due ON entry (campaign_id, organisation, due_at, id) WHERE state IN ('ready', 'waiting');

-- A run that starts asks for the newest event, however many there are.
CREATE INDEX event_by_time ON event (at);
