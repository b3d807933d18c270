INSERT INTO member (entry_id, key, line, patient) VALUES (?1, ?2, ?3, ?4);
