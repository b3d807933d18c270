-- The same as worklist_ticked.sql, as of the event before ?3: that event began the run after ?2.
SELECT DISTINCT entry.id, work_group, event.state_after AS state, event.reason,
    (SELECT outcome FROM event WHERE entry_id = entry.id AND event.id < ?3 AND outcome IS NOT NULL
        ORDER BY event.id DESC LIMIT 1) AS outcome
FROM worklist_tick AS tick JOIN entry ON entry.id = tick.entry_id
    JOIN event AS next ON next.id = ?3
    JOIN event ON event.id = (
        SELECT max(id) FROM event AS earlier
        WHERE earlier.entry_id = entry.id AND earlier.id < ?3 AND earlier.state_after IS NOT NULL
    )
WHERE campaign_id = ?1 AND tick.at < next.at AND (undone_at IS NULL OR undone_at >= next.at)
    AND tick.attempt_id IS (SELECT max(id) FROM attempt WHERE attempt.entry_id = entry.id AND run_id <= ?2);
