-- Texts that no entry has any more.
DELETE FROM phrase
WHERE id NOT IN (SELECT ending FROM entry WHERE ending IS NOT NULL)
    AND id NOT IN (SELECT zones_phrase FROM entry WHERE zones_phrase IS NOT NULL);
