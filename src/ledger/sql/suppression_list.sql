SELECT phone, scope, source, at, expires_at FROM suppression ORDER BY at, phone, scope;
