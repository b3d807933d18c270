SELECT key, patient FROM member WHERE entry_id = ?1 ORDER BY line;
