-- The calls of the campaign's runs up to this one; calls that were taken over count, too.
SELECT count(*) FROM run JOIN attempt ON attempt.run_id = run.id
WHERE run.campaign_id = ?1 AND run.id <= ?2 AND attempt.state IN ('open', 'ended', 'lost_track');
