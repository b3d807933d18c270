SELECT id, state, reason, due_at, outcome, phone, alternatives, zones, content, location, not_after FROM entry
WHERE run_id IN (SELECT id FROM run WHERE campaign_id = ?1 AND id <> ?2)
    AND state IN ('ready', 'waiting', 'held', 'suppressed', 'submitting', 'open', 'unknown', 'lost_track', 'cancelled', 'failed')
ORDER BY id;
