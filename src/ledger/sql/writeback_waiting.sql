-- The calls of a campaign that no write-back file tells yet, and those of them that wait for a person who reads them.
SELECT count(*) FILTER (WHERE doubt IS NULL), count(*) FILTER (WHERE doubt IS NOT NULL)
FROM attempt JOIN entry ON entry.id = entry_id
WHERE campaign_id = (SELECT id FROM campaign WHERE name = ?1) AND attempt.state = 'ended'
    AND NOT EXISTS (SELECT 1 FROM writeback_call WHERE attempt_id = attempt.id);
