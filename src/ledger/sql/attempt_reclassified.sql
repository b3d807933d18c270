-- Only if it still has the outcome ?2 and the doubt ?3 that were to be changed, and no person has decided about it.
UPDATE attempt SET outcome = ?4, doubt = ?5, doubt_at = coalesce(doubt_at, ?6)
WHERE id = ?1 AND outcome = ?2 AND doubt IS ?3 AND reviewed_at IS NULL;
