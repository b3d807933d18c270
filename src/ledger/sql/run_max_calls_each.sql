SELECT max_calls_each FROM run WHERE id = ?1;
