INSERT INTO suppression (phone, scope, source, at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (phone, scope) DO UPDATE SET source = excluded.source, at = excluded.at, expires_at = NULL;
