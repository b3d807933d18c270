SELECT id FROM run WHERE plan = ?1 AND listed = 1 ORDER BY id DESC LIMIT 1;
