UPDATE attempt SET outcome = ?3, doubt = ?4, doubt_at = ?5 WHERE id = ?1 AND outcome = ?2;
