-- The suppression that lasts longer wins, with its source.
INSERT INTO suppression (phone, scope, source, at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (phone, scope) DO UPDATE SET source = excluded.source, at = excluded.at, expires_at = excluded.expires_at
WHERE excluded.expires_at IS NULL OR excluded.expires_at > expires_at;
