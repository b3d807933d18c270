UPDATE entry
SET phone = ?2, alternatives = ?3, zones = ?4, zones_phrase = ?5, content = ?6, ending = ?7, not_after = ?8,
    organisation = ?9, location = ?10
WHERE id = ?1 AND state NOT IN ('finished', 'failed', 'cancelled');
