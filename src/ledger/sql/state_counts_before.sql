-- The same as state_counts.sql, as of the event before ?3.
WITH reported AS (
    SELECT coalesce(max(ended_at), 0) AS until FROM run
    WHERE campaign_id = ?1 AND id < ?2 AND ending NOT IN ('superseded', 'interrupted')
), past AS (
    SELECT entry.id, location,
        (listed_since <= ?2 AND run_id >= ?2) OR EXISTS (
            SELECT 1 FROM earlier_listing WHERE entry_id = entry.id AND from_run <= ?2 AND to_run >= ?2
        ) AS listed,
        (SELECT event.id FROM event WHERE entry_id = entry.id AND event.id < ?3 AND state_after IS NOT NULL
            ORDER BY event.id DESC LIMIT 1) AS last_event,
        (SELECT event.outcome FROM event WHERE entry_id = entry.id AND event.id < ?3 AND event.outcome IS NOT NULL
            ORDER BY event.id DESC LIMIT 1) AS outcome
    FROM entry WHERE campaign_id = ?1
)
SELECT listed, location, event.state_after AS state, event.reason, past.outcome, NULL AS next_due, count(*) AS count,
    event.state_after = 'expired' AND past.outcome IS NULL AND event.at > (SELECT until FROM reported) AS expired_uncalled,
    NULL AS barred_by
FROM past JOIN event ON event.id = past.last_event
GROUP BY listed, location, state, event.reason, past.outcome, expired_uncalled
ORDER BY listed DESC, location, state, event.reason, past.outcome;
