INSERT INTO writeback_call (attempt_id, batch) VALUES (?1, ?2);
