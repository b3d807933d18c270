INSERT INTO entry (campaign_id, run_id, due_at, created_at, updated_at, id, key, line, organisation, location, phone,
    alternatives, zones, zones_phrase, content, ending, not_after, state, reason)
VALUES (?1, ?2, ?3, ?3, ?3, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
