SELECT id, key, location, phone, zones, not_after, due_at FROM entry
WHERE campaign_id = ?1 AND organisation = ?2 AND state IN ('ready', 'waiting')
ORDER BY due_at, id LIMIT 10000;
