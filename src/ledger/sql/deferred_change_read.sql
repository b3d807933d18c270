SELECT meanwhile, meanwhile_reason FROM entry WHERE id = ?1;
