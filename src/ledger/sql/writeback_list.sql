SELECT number, name AS campaign, at, made_by, format, calls, content IS NOT NULL AS has_content
FROM writeback JOIN campaign ON campaign.id = campaign_id
WHERE ?1 IS NULL OR name = ?1
ORDER BY number;
