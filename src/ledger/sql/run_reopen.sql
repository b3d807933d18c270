UPDATE run SET ended_at = NULL, ending = NULL, ending_detail = NULL, paused_by = NULL WHERE id = ?1;
