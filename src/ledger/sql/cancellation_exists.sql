SELECT EXISTS (SELECT 1 FROM cancellation JOIN entry ON entry.id = entry_id WHERE campaign_id = ?1);
