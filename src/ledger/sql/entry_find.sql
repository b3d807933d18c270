SELECT id, state, reason, due_at, outcome, phone, alternatives, zones, content, location, not_after FROM entry
WHERE campaign_id = ?1 AND key = ?2;
