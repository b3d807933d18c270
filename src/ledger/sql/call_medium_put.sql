INSERT OR IGNORE INTO call_medium (organisation, word, ended) VALUES (?1, ?2, ?3);
