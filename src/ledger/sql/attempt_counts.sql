SELECT
    count(*) FILTER (WHERE state IN ('open', 'ended', 'lost_track')) AS placed,
    count(*) FILTER (WHERE state = 'ended') AS ended,
    count(*) FILTER (WHERE outcome = 'unclassified' AND doubt IS NULL) AS unclassified,
    count(*) FILTER (WHERE state IN ('not_placed', 'refused')) AS not_placed,
    count(*) FILTER (WHERE state IN ('submitting', 'unknown', 'absent')) AS unresolved
FROM attempt WHERE run_id = ?1;
