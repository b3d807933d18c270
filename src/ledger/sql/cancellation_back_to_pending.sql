-- The entry has left its cancelled state for a person's review.
UPDATE cancellation SET state_before = NULL, reason_before = NULL WHERE entry_id = ?1;
