-- Instants that a clock which was ahead wrote are moved back to now: caps and gaps end no later than after a call made
-- now. An entry keeps the length of its wait, counted from now.
UPDATE entry SET due_at = :now + max(0, due_at - max(:now, updated_at)) WHERE updated_at > :now AND state IN ('ready', 'waiting');
UPDATE entry SET updated_at = :now WHERE updated_at > :now;
UPDATE attempt SET intent_at = min(intent_at, :now), answered_at = min(answered_at, :now), lost_at = min(lost_at, :now),
    started_at = min(started_at, :now), ended_at = min(ended_at, :now), doubt_at = min(doubt_at, :now),
    reviewed_at = min(reviewed_at, :now)
WHERE intent_at > :now OR answered_at > :now OR lost_at > :now OR started_at > :now OR ended_at > :now OR doubt_at > :now
    OR reviewed_at > :now;
UPDATE line SET in_step_at = :now WHERE in_step_at > :now;
UPDATE ledger SET created_at = min(created_at, :now), disowned_times_up_to = (SELECT coalesce(max(id), 0) FROM event);
