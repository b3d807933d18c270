SELECT max(at) FROM event WHERE id > (SELECT disowned_times_up_to FROM ledger) AND run_id IN (
    SELECT run.id FROM run JOIN campaign ON campaign.id = campaign_id WHERE name = ?1
);
