SELECT run.id, campaign_id, name, started_at, ended_at, ending, rows_read
FROM run JOIN campaign ON campaign.id = campaign_id
WHERE ?1 IS NULL OR name = ?1
ORDER BY run.id;
