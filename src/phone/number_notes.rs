//! Words next to a number that say that it is wrong, dead or a fax.

/// The words and phrases, in small letters, without apostrophes.
const UNUSABLE: &str = "fax | facsimile | wrong | disconnected | disc | disco | discod | dcd | dead | invalid | inactive | \
    bad | old | outdated | incorrect | nis | nlis | oos | discontinued | pager | desconectado | \
    equivocado | télécopieur | dc | not in service | no longer | out of service | do not use | dont use | \
    not valid | not working | doesnt work | d c | d cd | cut off | number changed | not a working | \
    not hers | not his | not her | fuera de servicio | mauvais numéro | hors service | not patients | \
    someone elses";

/// Whether the words around a number say that it is not to be used. Words between two numbers belong to the first unless
/// they stand behind a separator, or lead to the second by a colon.
pub(super) fn is_marked(before: &str, after: &str, is_first: bool) -> bool {
    const SEPARATORS: [char; 7] = ['/', ';', ',', '|', '\n', '\r', '&'];
    let leads = is_first || before.trim_end().ends_with(':') || before.contains(SEPARATORS);
    let own_before = if is_first { before } else { before.rsplit(SEPARATORS).next().unwrap_or_default() };
    let own_after = after.split(SEPARATORS).next().unwrap_or_default();
    let leads_on = own_after.trim_end().ends_with(':') && own_after.len() == after.len();
    (leads && has_unusable_word(own_before)) || (!leads_on && has_unusable_word(own_after))
}

/// Whether a text says that a number is wrong, dead or a fax.
#[must_use]
pub fn has_unusable_word(text: &str) -> bool {
    if !text.chars().any(char::is_alphabetic) {
        return false;
    }
    let text: String = text.chars().filter(|c| !matches!(c, '\'' | '’')).flat_map(char::to_lowercase).collect();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    let joined = format!(" {} ", words.join(" "));
    if joined.contains(" not a fax ") || joined.contains(" no fax ") {
        return false;
    }
    text.contains("(f)")
        || joined.contains(" belong")
        || UNUSABLE.split(" | ").any(|phrase| joined.contains(&format!(" {phrase} ")))
}
