SELECT name FROM campaign ORDER BY updated_at DESC, id DESC;
