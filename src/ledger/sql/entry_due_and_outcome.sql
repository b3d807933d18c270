SELECT due_at, outcome FROM entry WHERE id = ?1;
