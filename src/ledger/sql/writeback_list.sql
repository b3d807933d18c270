SELECT number, name AS campaign, at, made_by, format, calls,
    EXISTS (SELECT 1 FROM writeback_content AS kept WHERE kept.number = writeback.number) AS has_content
FROM writeback JOIN campaign ON campaign.id = campaign_id
WHERE ?1 IS NULL OR name = ?1
ORDER BY number;
