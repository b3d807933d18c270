-- No call starts before its intent: a vendor instant converted by a clock that was set back must not end a cap early.
UPDATE attempt
SET state = ?3, answered_at = coalesce(?4, answered_at), lost_at = coalesce(?5, lost_at),
    conversation = coalesce(?6, conversation), started_at = coalesce(max(?7, intent_at), started_at),
    ended_at = coalesce(?8, ended_at), outcome = ?9, reason = ?10, doubt = ?11, doubt_at = ?12
WHERE id = ?1 AND state = ?2;
