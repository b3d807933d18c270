-- The campaign's next run, with its first event.
SELECT next.id, (
    SELECT event.id FROM event
    WHERE event.at >= next.started_at AND event.run_id = next.id AND event.kind = 'run_started'
    ORDER BY event.at LIMIT 1
) AS first_event
FROM run AS next WHERE next.campaign_id = ?1 AND next.id > ?2
ORDER BY next.id LIMIT 1;
