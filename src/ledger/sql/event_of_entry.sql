-- The events of an entry alone, and the one that it shares with those that were enrolled beside it.
SELECT event.*,
    CASE WHEN event.kind = 'ended' THEN attempt.outcome END AS outcome,
    CASE WHEN event.kind IN ('accepted', 'adopted', 'taken_over') THEN attempt.conversation END AS conversation
FROM event LEFT JOIN attempt ON attempt.id = event.attempt_id
WHERE event.entry_id = ?1 OR event.id = (
    SELECT id FROM (SELECT id, last FROM enrolled_together WHERE first < ?1 ORDER BY first DESC LIMIT 1) WHERE last >= ?1
)
ORDER BY event.id;
