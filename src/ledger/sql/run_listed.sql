UPDATE run SET listed = 1, rows_read = ?2, accepted = ?3, rejected = ?4, duplicate = ?5, merged = ?6 WHERE id = ?1;
