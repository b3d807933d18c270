SELECT key FROM member WHERE entry_id = ?1;
