-- What is ticked off of an entry's item: of this group, after this attempt.
SELECT at, ticked_by, note FROM worklist_tick
WHERE entry_id = ?1 AND work_group = ?2 AND attempt_id IS ?3 AND undone_at IS NULL
ORDER BY id;
