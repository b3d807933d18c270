SELECT id, state, reason, phone, alternatives, zones, content, location, not_after FROM entry
WHERE campaign_id = ?1 AND key = ?2;
