-- The newest run of the campaign with this name.
SELECT run.id, campaign_id, name FROM run JOIN campaign ON campaign.id = campaign_id
WHERE name = ?1 ORDER BY run.id DESC LIMIT 1;
