SELECT id, key, state, organisation, location, phone, zones, not_after FROM entry
WHERE campaign_id = ?1 AND organisation = ?2 AND state IN ('ready', 'waiting') AND due_at <= ?3
    AND (?5 = '[]' OR coalesce(location, '') NOT IN (SELECT value FROM json_each(?5)))
ORDER BY due_at, id LIMIT ?4;
