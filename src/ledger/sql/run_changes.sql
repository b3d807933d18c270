UPDATE run SET entries_new = ?2, entries_changed = ?3, entries_renumbered = ?4, entries_renumbered_under_way = ?5
WHERE id = ?1;
