UPDATE attempt SET found = 1, taken_over = 1 WHERE id = ?1;
