UPDATE run SET ended_at = ?2, ending = ?3, ending_detail = ?4 WHERE id = ?1;
