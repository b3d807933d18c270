-- Results of the campaign's newest calls since one of its runs last ended other than by an interruption, newest first:
-- what a person, or a newer rule, has decided about a call counts. A possible opt-out counts as one until a person has
-- read it.
-- Joins from the newest event back, so that it stops at the limit; until then it reads every event since that end, one for
-- each entry enrolled meanwhile.
SELECT attempt.organisation, CASE
    WHEN event.outcome IS NULL THEN NULL
    WHEN attempt.doubt = 'possible_opt_out' THEN 'opt_out'
    ELSE coalesce(attempt.outcome, event.outcome)
END AS outcome
FROM event CROSS JOIN attempt ON attempt.id = event.attempt_id CROSS JOIN entry ON entry.id = event.entry_id
WHERE entry.campaign_id = ?1 AND event.kind IN ('ended', 'ended_in_doubt', 'refused', 'answer_lost')
    AND event.id > coalesce((
        SELECT max(event.id) FROM event JOIN run ON run.id = event.run_id
        WHERE run.campaign_id = ?1 AND event.entry_id IS NULL AND event.kind = 'run_ended' AND event.detail <> 'interrupted'
    ), 0)
ORDER BY event.id DESC LIMIT ?2;
