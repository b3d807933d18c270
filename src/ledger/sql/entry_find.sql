SELECT id, state, reason FROM entry WHERE campaign_id = ?1 AND key = ?2;
