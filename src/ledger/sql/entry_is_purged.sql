SELECT 1 FROM entry WHERE id = ?1 AND content = ?2;
