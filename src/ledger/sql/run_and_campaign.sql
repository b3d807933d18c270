-- The given run, or the newest one, and its campaign.
SELECT run.id, campaign_id, name FROM run JOIN campaign ON campaign.id = campaign_id
WHERE ?1 IS NULL OR run.id = ?1
ORDER BY run.id DESC LIMIT 1;
