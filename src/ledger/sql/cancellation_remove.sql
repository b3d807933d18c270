DELETE FROM cancellation WHERE entry_id = ?1;
