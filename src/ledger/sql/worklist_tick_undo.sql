UPDATE worklist_tick SET undone_at = ?4, undone_by = ?5
WHERE entry_id = ?1 AND work_group = ?2 AND attempt_id IS ?3 AND undone_at IS NULL;
