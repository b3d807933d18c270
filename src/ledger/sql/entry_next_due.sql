SELECT min(due_at) AS next_due FROM entry
WHERE campaign_id = ?1 AND organisation = ?2 AND state IN ('ready', 'waiting')
    AND (?3 = '[]' OR coalesce(location, '') NOT IN (SELECT value FROM json_each(?3)));
