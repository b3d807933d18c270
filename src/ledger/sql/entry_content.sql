SELECT content FROM whole_entry WHERE id = ?1;
