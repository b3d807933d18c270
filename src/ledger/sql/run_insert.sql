INSERT INTO run (campaign_id, started_at, attested) VALUES (?1, ?2, ?3);
