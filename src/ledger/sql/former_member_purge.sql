UPDATE former_member SET patient = ?2 WHERE entry_id IN (SELECT id FROM entry WHERE content = ?1);
