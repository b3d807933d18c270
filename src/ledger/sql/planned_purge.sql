DELETE FROM planned WHERE entry_id IN (SELECT id FROM entry WHERE content = ?1);
