UPDATE run SET ended_at = ?2, ending = ?3 WHERE campaign_id = ?1 AND ended_at IS NULL;
