DELETE FROM suppression WHERE phone = ?1 AND scope = ?2;
