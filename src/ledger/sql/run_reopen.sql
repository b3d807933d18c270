UPDATE run SET ended_at = NULL, ending = NULL, ending_detail = NULL WHERE id = ?1;
