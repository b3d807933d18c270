-- Every entry, and every household member that its call covers.
WITH patient_row AS (
    SELECT id, run_id, key, line, content AS patient, 0 AS covered FROM entry WHERE campaign_id = ?1
    UNION ALL
    SELECT entry.id, entry.run_id, member.key, member.line, member.patient, 1
    FROM member JOIN entry ON entry.id = member.entry_id WHERE entry.campaign_id = ?1
)
SELECT entry.id, patient_row.key, patient_row.line, patient_row.patient, covered, phone, location, entry.state, entry.reason,
    entry.outcome, due_at,
    (SELECT count(*) FROM attempt WHERE entry_id = entry.id AND state NOT IN ('not_placed', 'refused')) AS calls,
    (SELECT max(coalesce(started_at, answered_at, intent_at)) FROM attempt
        WHERE entry_id = entry.id AND state NOT IN ('not_placed', 'refused')) AS last_call_at,
    (SELECT conversation FROM attempt WHERE entry_id = entry.id AND conversation IS NOT NULL
        ORDER BY attempt.id DESC LIMIT 1) AS conversation,
    EXISTS (SELECT 1 FROM suppression JOIN campaign ON campaign.id = ?1
        WHERE suppression.phone = entry.phone AND (scope = 'all' OR scope = purpose)
            AND (expires_at IS NULL OR expires_at > ?3)) AS number_suppressed,
    CASE WHEN NOT covered THEN entry.meanwhile END AS demanded_by_list,
    CASE WHEN covered THEN entry.key END AS covered_by, entry.run_id = ?2 AS listed,
    (SELECT count(*) FROM attempt WHERE entry_id = entry.id AND run_id = ?2 AND state NOT IN ('not_placed', 'refused')) AS calls_in_run
FROM patient_row JOIN entry ON entry.id = patient_row.id
ORDER BY patient_row.run_id = ?2 DESC, patient_row.line, covered;
