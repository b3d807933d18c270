INSERT INTO attempt (entry_id, run_id, number, organisation, from_number, to_number, state, intent_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'submitting', ?7);
