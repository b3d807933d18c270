-- The entries of a campaign with an item that is ticked off, each with what it is now.
SELECT DISTINCT entry.id, entry.state, entry.reason, entry.outcome, work_group
FROM worklist_tick JOIN entry ON entry.id = worklist_tick.entry_id
WHERE campaign_id = ?1 AND undone_at IS NULL
    AND attempt_id IS (SELECT max(id) FROM attempt WHERE entry_id = entry.id);
