SELECT phone, scope, source, at, expires_at, is_pending_review FROM barred_number ORDER BY at, phone, scope;
