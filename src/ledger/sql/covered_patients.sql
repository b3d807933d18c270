-- The other patients that a call covered, wherever their data is now.
SELECT covered.key, coalesce(
    (SELECT patient FROM member WHERE entry_id = attempt.entry_id AND member.key = covered.key),
    (SELECT patient FROM former_member WHERE entry_id = attempt.entry_id AND former_member.key = covered.key),
    (SELECT json_extract(own.content, '$.patient') FROM entry AS own JOIN entry AS called ON called.campaign_id = own.campaign_id
        WHERE called.id = attempt.entry_id AND own.key = covered.key)
) AS patient
FROM covered JOIN attempt ON attempt.id = covered.attempt_id
WHERE attempt_id = ?1
ORDER BY covered.key;
