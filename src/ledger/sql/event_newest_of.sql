SELECT max(at) FROM event WHERE run_id IN (
    SELECT run.id FROM run JOIN campaign ON campaign.id = campaign_id WHERE name = ?1
);
