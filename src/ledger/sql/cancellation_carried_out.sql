UPDATE cancellation SET state_before = ?2, reason_before = ?3 WHERE entry_id = ?1;
