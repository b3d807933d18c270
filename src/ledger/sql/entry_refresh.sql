UPDATE entry
SET phone = ?2, alternatives = ?3, zones = ?4, content = ?5, not_after = ?6, organisation = ?7, location = ?8
WHERE id = ?1 AND state NOT IN ('finished', 'failed');
