SELECT 1 FROM entry WHERE campaign_id = ?1;
