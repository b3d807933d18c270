-- The calls of a campaign that are in no write-back file yet, and can be in none: a patient of the call has no data any
-- more. ?2 is an empty content, ?3 an empty patient.
SELECT count(*)
FROM attempt JOIN entry ON entry.id = entry_id
WHERE campaign_id = (SELECT id FROM campaign WHERE name = ?1) AND attempt.state = 'ended' AND doubt IS NULL
    AND NOT EXISTS (SELECT 1 FROM writeback_call WHERE attempt_id = attempt.id)
    AND (content = ?2 OR EXISTS (
        SELECT 1 FROM covered WHERE covered.attempt_id = attempt.id AND coalesce(
            (SELECT patient FROM member WHERE entry_id = attempt.entry_id AND member.key = covered.key),
            (SELECT patient FROM former_member WHERE entry_id = attempt.entry_id AND former_member.key = covered.key),
            (SELECT json_extract(own.content, '$.patient') FROM entry AS own
                WHERE own.campaign_id = entry.campaign_id AND own.key = covered.key),
            ?3
        ) = ?3
    ));
