UPDATE entry SET meanwhile = ?2, meanwhile_reason = ?3 WHERE id = ?1;
