-- The calls of a campaign that no write-back file tells yet, and those of them that wait for a person who reads them.
SELECT count(*) FILTER (WHERE NOT is_in_doubt), count(*) FILTER (WHERE is_in_doubt)
FROM (
    SELECT entry.state = 'held' AND (entry.reason = 'possible_opt_out' OR entry.reason = 'possibly_deceased') IS TRUE AS is_in_doubt
    FROM attempt JOIN entry ON entry.id = entry_id
    WHERE campaign_id = (SELECT id FROM campaign WHERE name = ?1) AND attempt.state = 'ended'
        AND NOT EXISTS (SELECT 1 FROM writeback_call WHERE attempt_id = attempt.id)
);
