SELECT max(id) FROM run WHERE campaign_id = ?1;
