SELECT event.*,
    CASE WHEN event.kind IN ('accepted', 'adopted', 'taken_over') THEN attempt.conversation END AS conversation
FROM event LEFT JOIN attempt ON attempt.id = event.attempt_id
WHERE event.entry_id = ?1
ORDER BY event.id;
