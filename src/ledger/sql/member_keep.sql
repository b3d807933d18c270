INSERT OR REPLACE INTO former_member (entry_id, key, line, patient) SELECT entry_id, key, line, patient FROM member WHERE entry_id = ?1;
