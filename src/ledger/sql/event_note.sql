INSERT INTO event (at, run_id, entry_id, attempt_id, kind, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6);
