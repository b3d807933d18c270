UPDATE entry
SET state = ?3, due_at = coalesce(?4, due_at), reason = ?5, outcome = coalesce(?6, outcome), updated_at = ?7
WHERE id = ?1 AND state = ?2;
