SELECT attempt.id, to_number, started_at, ended_at, outcome, tags, topic, summary, actions, duration, is_whole, kept_at
FROM attempt JOIN conversation_words ON attempt_id = attempt.id
WHERE entry_id = ?1
ORDER BY attempt.id;
