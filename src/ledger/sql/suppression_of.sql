SELECT phone, scope, source, at, expires_at, is_pending_review FROM barred_number WHERE phone = ?1 ORDER BY scope, at;
