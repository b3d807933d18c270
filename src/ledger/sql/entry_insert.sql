INSERT INTO entry (campaign_id, run_id, listed_since, due_at, created_at, updated_at, key, line, organisation, location, phone, alternatives,
    zones, content, not_after, state, reason)
VALUES (?1, ?2, ?2, ?3, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
ON CONFLICT (campaign_id, key) DO NOTHING;
