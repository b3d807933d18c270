SELECT phone, scope, source, at, expires_at FROM suppression WHERE phone = ?1 ORDER BY scope;
