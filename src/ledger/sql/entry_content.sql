SELECT content FROM entry WHERE id = ?1;
