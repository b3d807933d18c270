INSERT INTO event (at, run_id, entry_id, kind, state_after, reason) VALUES (?1, ?2, ?3, 'enrolled', ?4, ?5);
