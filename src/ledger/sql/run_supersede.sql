UPDATE run SET ended_at = ?2, ending = 'superseded' WHERE campaign_id = ?1 AND ended_at IS NULL;
