UPDATE run SET plan = ?2 WHERE id = ?1;
