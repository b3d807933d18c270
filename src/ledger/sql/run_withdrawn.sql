UPDATE run SET entries_withdrawn = ?2 WHERE id = ?1;
