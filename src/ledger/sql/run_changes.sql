UPDATE run SET entries_new = ?2, entries_changed = ?3, entries_renumbered = ?4, entries_renumbered_under_way = ?5,
    entries_corrected = ?6, entries_excluded = ?7, entries_allowed = ?8, entries_returned = ?9
WHERE id = ?1;
