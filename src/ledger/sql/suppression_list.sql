SELECT phone, scope, at FROM suppression ORDER BY at, phone, scope;
