INSERT INTO event (at, run_id, entry_id, attempt_id, kind, state_before, state_after, reason, detail, evidence, outcome)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11);
