INSERT INTO covered (attempt_id, key) SELECT ?1, key FROM member WHERE entry_id = ?2;
