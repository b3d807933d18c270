INSERT INTO event (at, run_id, entry_id, through, kind, state_after, reason) VALUES (?1, ?2, ?3, ?4, 'enrolled', ?5, ?6);
