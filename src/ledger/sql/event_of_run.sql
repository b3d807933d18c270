INSERT INTO event (at, run_id, kind, detail) VALUES (?1, ?2, ?3, ?4);
