INSERT INTO event (at, kind, detail) VALUES (?1, ?2, ?3);
