-- Which of a practice's places an entry is of, where its campaign has lines.
ALTER TABLE entry ADD COLUMN location TEXT;

-- Each organisation's entries are claimed on its own budget.
DROP INDEX entry_due;
CREATE INDEX entry_due ON entry (campaign_id, organisation, due_at, id) WHERE state IN ('ready', 'waiting');
