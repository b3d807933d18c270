-- What deferred the call may not apply to another number, household or zone: the rules are asked again.
UPDATE entry
SET phone = ?2, alternatives = ?3, zones = ?4, content = ?5, not_after = ?6, organisation = ?7, location = ?8,
    due_at = CASE WHEN state IN ('waiting', 'cancelled') THEN min(due_at, coalesce(?9, due_at)) ELSE due_at END
WHERE id = ?1 AND state NOT IN ('finished', 'failed');
