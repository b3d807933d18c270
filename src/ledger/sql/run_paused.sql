SELECT paused_by FROM run WHERE id = ?1;
