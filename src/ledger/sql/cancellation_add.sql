INSERT INTO cancellation (entry_id, decision, run_id, at, decided_by, state_before, reason_before)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);
