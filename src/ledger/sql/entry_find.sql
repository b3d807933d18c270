SELECT id, state, reason, phone, alternatives, zones, content, not_after FROM entry WHERE campaign_id = ?1 AND key = ?2;
