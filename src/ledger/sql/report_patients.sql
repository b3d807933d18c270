-- One row per patient: the entries, the household members that their calls cover, and members whom no list has any more. Of a
-- patient who has been several of these, the newest list's. ?3: as of the event before this one; NULL: as of now.
WITH patient_row AS (
    SELECT id, key, line, content AS patient, 0 AS covered, 0 AS former FROM entry
    WHERE campaign_id = ?1 AND NOT EXISTS (
        SELECT 1 FROM member JOIN entry AS of ON of.id = member.entry_id
        WHERE member.key = entry.key AND of.campaign_id = ?1 AND of.run_id > entry.run_id
    )
    UNION ALL
    SELECT entry.id, member.key, member.line, member.patient, 1, 0
    FROM member JOIN entry ON entry.id = member.entry_id
    WHERE entry.campaign_id = ?1
        AND NOT EXISTS (
            SELECT 1 FROM entry AS own WHERE own.campaign_id = ?1 AND own.key = member.key AND own.run_id >= entry.run_id
        )
        AND NOT EXISTS (
            SELECT 1 FROM member AS newer JOIN entry AS of ON of.id = newer.entry_id
            WHERE newer.key = member.key AND of.campaign_id = ?1
                AND (of.run_id > entry.run_id OR (of.run_id = entry.run_id AND of.id > entry.id))
        )
    UNION ALL
    SELECT entry.id, former_member.key, former_member.line, former_member.patient, 1,
        -- The call that finished the entry has covered the member, too.
        NOT (entry.state = 'finished' AND EXISTS (
            SELECT 1 FROM covered
            WHERE covered.key = former_member.key
                AND attempt_id = (SELECT max(id) FROM attempt WHERE attempt.entry_id = entry.id)
        ))
    FROM former_member JOIN entry ON entry.id = former_member.entry_id
    WHERE entry.campaign_id = ?1
        AND NOT EXISTS (SELECT 1 FROM entry AS own WHERE own.campaign_id = ?1 AND own.key = former_member.key)
        AND NOT EXISTS (
            SELECT 1 FROM member JOIN entry AS of ON of.id = member.entry_id
            WHERE member.key = former_member.key AND of.campaign_id = ?1
        )
        AND NOT EXISTS (
            SELECT 1 FROM former_member AS newer JOIN entry AS of ON of.id = newer.entry_id
            WHERE newer.key = former_member.key AND of.campaign_id = ?1 AND of.id > entry.id
        )
), as_of AS (
    SELECT patient_row.*,
        (SELECT event.id FROM event WHERE ?3 IS NOT NULL AND entry_id = patient_row.id AND event.id < ?3
            AND state_after IS NOT NULL ORDER BY event.id DESC LIMIT 1) AS last_event,
        (SELECT event.outcome FROM event
            WHERE ?3 IS NOT NULL AND entry_id = patient_row.id AND event.id < ?3 AND event.outcome IS NOT NULL
            ORDER BY event.id DESC LIMIT 1) AS past_outcome
    FROM patient_row
)
SELECT entry.id, as_of.key, as_of.line, as_of.patient, covered, former, phone, location,
    coalesce(event.state_after, entry.state) AS state,
    CASE WHEN ?3 IS NULL THEN entry.reason ELSE event.reason END AS reason,
    CASE WHEN ?3 IS NULL THEN entry.outcome ELSE past_outcome END AS outcome,
    due_at,
    (SELECT count(*) FROM attempt
        WHERE entry_id = entry.id AND state NOT IN ('not_placed', 'refused') AND (?3 IS NULL OR run_id <= ?2)) AS calls,
    (SELECT max(coalesce(started_at, answered_at, intent_at)) FROM attempt
        WHERE entry_id = entry.id AND state NOT IN ('not_placed', 'refused') AND (?3 IS NULL OR run_id <= ?2)
    ) AS last_call_at,
    (SELECT conversation FROM attempt
        WHERE entry_id = entry.id AND conversation IS NOT NULL AND (?3 IS NULL OR run_id <= ?2)
        ORDER BY attempt.id DESC LIMIT 1) AS conversation,
    EXISTS (SELECT 1 FROM suppression JOIN campaign ON campaign.id = ?1
        WHERE suppression.phone = entry.phone AND (scope = 'all' OR scope = purpose)
            AND (expires_at IS NULL OR expires_at > ?4)) AS number_suppressed,
    CASE WHEN NOT covered THEN entry.meanwhile END AS demanded_by_list,
    CASE WHEN covered THEN entry.key END AS covered_by,
    NOT former AND ((listed_since <= ?2 AND entry.run_id >= ?2) OR EXISTS (
        SELECT 1 FROM earlier_listing WHERE earlier_listing.entry_id = entry.id AND from_run <= ?2 AND to_run >= ?2
    )) AS listed,
    (SELECT count(*) FROM attempt
        WHERE entry_id = entry.id AND run_id = ?2 AND state NOT IN ('not_placed', 'refused')) AS calls_in_run
FROM as_of JOIN entry ON entry.id = as_of.id LEFT JOIN event ON event.id = as_of.last_event
WHERE ?3 IS NULL OR event.id IS NOT NULL
ORDER BY listed DESC, as_of.line, covered;
