INSERT INTO run (campaign_id, started_at, attested, max_calls_each) VALUES (?1, ?2, ?3, ?4);
