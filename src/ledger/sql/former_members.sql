-- Former household members, without those who are an entry or a member of one again.
SELECT former_member.entry_id, former_member.key, former_member.line, former_member.patient
FROM former_member JOIN entry ON entry.id = former_member.entry_id
WHERE entry.campaign_id = ?1
    AND NOT EXISTS (SELECT 1 FROM entry AS own WHERE own.campaign_id = ?1 AND own.key = former_member.key)
    AND NOT EXISTS (
        SELECT 1 FROM member JOIN entry AS of ON of.id = member.entry_id
        WHERE of.campaign_id = ?1 AND member.key = former_member.key
    )
ORDER BY former_member.entry_id;
