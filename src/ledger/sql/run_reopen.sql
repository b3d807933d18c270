UPDATE run SET ended_at = NULL, ending = NULL WHERE id = ?1;
