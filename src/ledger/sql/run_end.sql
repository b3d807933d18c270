UPDATE run SET ended_at = ?2, ending = ?3 WHERE id = ?1;
