-- What was written by a clock that was ahead counts as having happened now, at the latest: caps and gaps end no later
-- than they would if the call had been made a moment ago. An entry waits as long from now on as it would have from then.
UPDATE entry SET due_at = :now + max(0, due_at - max(:now, updated_at)) WHERE updated_at > :now AND state IN ('ready', 'waiting');
UPDATE entry SET updated_at = :now WHERE updated_at > :now;
UPDATE attempt SET intent_at = min(intent_at, :now), answered_at = min(answered_at, :now), lost_at = min(lost_at, :now),
    started_at = min(started_at, :now), ended_at = min(ended_at, :now)
WHERE intent_at > :now OR answered_at > :now OR lost_at > :now OR started_at > :now OR ended_at > :now;
UPDATE line SET in_step_at = :now WHERE in_step_at > :now;
UPDATE ledger SET created_at = min(created_at, :now), disowned_times_up_to = (SELECT coalesce(max(id), 0) FROM event);
