-- A person has read the conversation; ?2 is the outcome that it has by that decision, NULL: as before.
UPDATE attempt SET doubt = NULL, reviewed_at = ?3, outcome = coalesce(?2, outcome) WHERE id = ?1 AND doubt IS NOT NULL;
