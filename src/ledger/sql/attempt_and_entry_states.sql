SELECT entry.state AS entry_state, attempt.state AS attempt_state, to_number
FROM attempt JOIN entry ON entry.id = entry_id
WHERE attempt.id = ?1 AND entry_id = ?2;
