UPDATE attempt SET found = 1 WHERE id = ?1;
