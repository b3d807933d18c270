SELECT count(*) FROM entry INDEXED BY entry_due WHERE campaign_id = ?1 AND (state = 'ready' OR state = 'waiting');
