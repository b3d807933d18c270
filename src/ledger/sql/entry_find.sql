SELECT id, state, reason, phone, alternatives, zones, content, location, not_after FROM whole_entry
WHERE campaign_id = ?1 AND key = ?2;
