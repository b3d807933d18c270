SELECT id, key, state, organisation, phone, zones, not_after FROM whole_entry
WHERE campaign_id = ?1 AND state IN ('ready', 'waiting') AND due_at <= ?2
ORDER BY due_at, id LIMIT ?3;
