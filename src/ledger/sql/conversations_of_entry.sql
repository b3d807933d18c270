SELECT id, run_id, organisation, from_number, number, conversation, coalesce(started_at, answered_at, intent_at) AS at
FROM attempt WHERE entry_id = ?1 AND conversation IS NOT NULL
ORDER BY id;
