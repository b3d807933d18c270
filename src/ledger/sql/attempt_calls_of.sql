SELECT count(*) AS calls,
    max(CASE WHEN to_number = ?2 THEN coalesce(started_at, answered_at, lost_at, intent_at) END) AS last_at
FROM attempt WHERE entry_id = ?1 AND state NOT IN ('not_placed', 'refused');
