SELECT count(*) FROM entry WHERE campaign_id = ?1 AND (state = 'ready' OR state = 'waiting');
