SELECT
    count(*) FILTER (WHERE state IN ('open', 'ended', 'lost_track') AND NOT taken_over) AS placed,
    count(*) FILTER (WHERE state = 'ended' AND NOT taken_over) AS ended,
    count(*) FILTER (WHERE outcome = 'unclassified' AND doubt IS NULL AND NOT taken_over) AS unclassified,
    count(*) FILTER (WHERE state IN ('not_placed', 'refused')) AS not_placed,
    count(*) FILTER (WHERE state IN ('submitting', 'unknown')) AS unresolved,
    count(*) FILTER (WHERE state = 'absent') AS absent,
    count(*) FILTER (WHERE taken_over) AS taken_over
FROM attempt WHERE run_id = ?1;
