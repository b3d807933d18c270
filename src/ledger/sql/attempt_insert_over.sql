-- A call of which nothing is known but that it was made: it counts for its number, and for nothing else. It is asked for
-- again, since an opt-out may be in it.
INSERT INTO attempt (entry_id, run_id, number, organisation, from_number, to_number, state, intent_at, answered_at,
    conversation, started_at, reason, found)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'lost_track', ?7, ?7, ?8, ?7, 'track_lost', 1);
