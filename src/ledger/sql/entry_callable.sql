SELECT id, state, reason, due_at, outcome, phone, alternatives, zones, content, location, not_after, key FROM entry
WHERE campaign_id = ?1
    AND state IN ('ready', 'waiting', 'held', 'submitting', 'open', 'unknown', 'lost_track', 'cancelled')
ORDER BY id;
