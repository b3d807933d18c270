//! Notes in cells: words that forbid a call, wherever they stand, a death that is the patient's, and a patient who has
//! left the practice. A note bars the patient; a note about a single number ([`crate::phone::parse_cell`]) bars that number.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::cell_words::{PatientWords, patient_words, words_of};
use super::columns::Columns;
use super::field::NAME_FIELDS;
use super::list::ListRow;
use super::normal_form::folded;
use super::word_lists::WordList;
use crate::campaign::Purpose;
use crate::entry::Reason;

/// Abbreviations that are found as they are written.
const ABBREVIATIONS: [&str; 6] = ["d n c", "d.n.c", "d/n/c", " ph", "dec'd", "dcs'd"];

/// The same in scripts without spaces between words, or of languages of which the lists have no more.
const OTHER_SCRIPTS: [&str; 8] =
    ["不要打电话", "不要致电", "请勿致电", "別打電話", "전화하지", "연락하지", "لا تتصل", "не звонить"];

/// The lists of `word_lists.tsv` whose phrases forbid a call.
const FORBIDDING: [&str; 6] = ["note_forbids", "note_exact", "note_calls", "note_former", "death", "death_of_patient"];

/// Finds a word of which every phrase that forbids has one: nearly every cell has none. `None`, which never happens,
/// would only cost time.
static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let phrases = FORBIDDING.into_iter().flat_map(|list| WordList::named(list).iter());
    // A word of two letters is in every other name.
    let words = phrases.map(characteristic_word).filter(|word| word.len() > 2);
    finder(words.chain(ABBREVIATIONS))
});

/// The same for phrases about a number.
static NUMBER_FINDER: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| finder(WordList::named("note_wrong_number").iter().map(characteristic_word)));

fn finder(words: impl Iterator<Item = &'static str>) -> Option<AhoCorasick> {
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok()
}

/// The longest word of a phrase that is not written with an apostrophe.
fn characteristic_word(phrase: &'static str) -> &'static str {
    const WITH_APOSTROPHE: [&str; 9] =
        ["dont", "doesnt", "wont", "cant", "nest", "patients", "someone", "elses", "dappel"];
    let words = phrase.split(' ').filter(|word| !WITH_APOSTROPHE.contains(word));
    words.max_by_key(|word| word.len()).unwrap_or(phrase)
}

fn has_word(finder: &LazyLock<Option<AhoCorasick>>, note: &str) -> bool {
    let is_found =
        |finder: &AhoCorasick| finder.is_match(note) || (!note.is_ascii() && finder.is_match(&*folded(note)));
    finder.as_ref().is_none_or(is_found)
}

/// The reason for which a note forbids a call.
pub(super) fn forbids(note: &str) -> Option<Reason> {
    if note.len() < 3 {
        return None;
    }
    if !note.is_ascii() && note.contains('†') {
        return Some(Reason::Deceased);
    }
    if !note.is_ascii() && OTHER_SCRIPTS.iter().any(|phrase| note.contains(phrase)) {
        return Some(Reason::DoNotCall);
    }
    if !has_word(&FINDER, note) {
        return None;
    }
    let words = words_of(note);
    match () {
        () if is_death(&words) => Some(Reason::Deceased),
        () if forbids_calls(&words) => Some(Reason::DoNotCall),
        () if is_former_patient(&words) => Some(Reason::Inactive),
        () => None,
    }
}

/// Whether a note says that the patient's number is not to be used.
pub(super) fn says_wrong_number(note: &str) -> bool {
    let is_candidate = note.len() > 3 && has_word(&NUMBER_FINDER, note);
    is_candidate
        && WordList::named("note_wrong_number").find_phrase(&words_of(&note.replace('#', " number "))).is_some()
}

/// Whether a note says that the appointment does not take place.
pub(super) fn cancels_appointment(note: &str) -> bool {
    let words = words_of(note);
    WordList::named("note_appointment_off").find_phrase(&words).is_some()
        && !WordList::named("note_appointment_past").has_any(&words)
}

/// The reason for which a note in a row's cell without a field of its own, a name or a phone cell forbids a call.
pub(super) fn in_row(columns: &Columns, row: &ListRow, purpose: Purpose) -> Option<Reason> {
    let names = || NAME_FIELDS.into_iter().map(|field| columns.cell(row, field));
    let of_names = names().chain(columns.phones(row)).find_map(forbids_in_name);
    let of_names = of_names.or_else(|| names().any(is_retired).then_some(Reason::Inactive));
    let of_notes = || columns.note_cells(row).find_map(forbids);
    let of_appointment = || {
        let cancels = purpose != Purpose::Recall && columns.appointment_notes(row).any(cancels_appointment);
        cancels.then_some(Reason::AppointmentOff)
    };
    of_names.or_else(of_notes).or_else(of_appointment)
}

/// The reason for which a note in a name or a phone cell forbids a call: the whole of it, or what stands in parentheses,
/// between asterisks or behind a dash.
pub(super) fn forbids_in_name(name: &str) -> Option<Reason> {
    forbids(name).or_else(|| remarks(name).find_map(forbids_in_remark))
}

/// Whether a name has a remark that nobody is to use the record: `Coe, Ann (do not use)`.
fn is_retired(name: &str) -> bool {
    let words = words_of(name);
    // Sorted to the end of every list: `ZZ-Coe, Ann`.
    let is_sorted_away = words.len() > 1 && matches!(words[0].as_str(), "zz" | "zzz" | "zzzz" | "xx" | "xxx" | "xxxx");
    is_sorted_away || remarks(name).any(|remark| WordList::named("record_retired").has(&words_of(remark).join(" ")))
}

fn forbids_in_remark(remark: &str) -> Option<Reason> {
    let is_year_of_death =
        remark.trim_start().starts_with("d. ") && remark.bytes().filter(u8::is_ascii_digit).count() == 4;
    if is_year_of_death {
        return Some(Reason::Deceased);
    }
    match patient_words(remark.trim()) {
        PatientWords::Forbids(reason) => Some(reason),
        PatientWords::Nothing | PatientWords::Active | PatientWords::Unknown => None,
    }
}

/// The remarks in a name. A dash inside a word is part of the name.
fn remarks(name: &str) -> impl Iterator<Item = &str> {
    let bracketed = [('(', ')'), ('[', ']'), ('*', '*')].into_iter().filter_map(|(open, close)| {
        let (_, rest) = name.split_once(open)?;
        Some(rest.split(close).find(|part| !part.is_empty()).unwrap_or_default())
    });
    bracketed.chain([" - ", " – ", " — "].into_iter().filter_map(|dash| Some(name.rsplit_once(dash)?.1)))
}

fn forbids_calls(words: &[String]) -> bool {
    let list = WordList::named;
    let is_alone = list("note_exact").has(&words.join(" "));
    // `Call daughter instead`.
    let is_for_another = words.iter().any(|word| word == "instead")
        && words.windows(2).any(|pair| list("note_calls").has(&pair[0]) && list("relatives").has(&pair[1]));
    is_alone
        || is_for_another
        || list("note_forbids").places(words).any(|place| is_ban(words, place))
        || (0..words.len()).any(|at| list("note_negations").has(&words[at]) && denies_call(words, at))
}

/// Whether a phrase that forbids calls is no report of calls: `called, no contact`, `no calls returned yet`.
fn is_ban(words: &[String], (at, length): (usize, usize)) -> bool {
    let list = WordList::named;
    let before = at.checked_sub(1).map(|before| words[before].as_str());
    let after = &words[at + length..];
    let is_report = before.is_some_and(|word| list("note_no_ban").has(word) || list("note_report_before").has(word))
        || list("note_no_ban").has_any(&after[..after.len().min(2)]);
    let is_other =
        after.first().is_some_and(|word| word == "of") && after.get(1).is_some_and(|word| list("note_other").has(word));
    let asks = list("note_imperatives").has(&words[at]);
    (asks || !is_report) && !is_other
}

/// Whether the words say that somebody is no patient any more, not a relative.
fn is_former_patient(words: &[String]) -> bool {
    let list = WordList::named;
    list("note_former").places(words).any(|(at, length)| {
        let is_other = words.get(at + length).is_some_and(|word| list("note_former_of").has(word));
        let is_relatives = words[at.saturating_sub(3)..at].iter().any(|word| list("relatives").has(word));
        !is_other && !is_relatives
    })
}

/// Whether the denial at `at` is about calls, a few words on.
fn denies_call(words: &[String], at: usize) -> bool {
    let list = WordList::named;
    // `Asked us not to call` is no report.
    let is_asked = words[at.saturating_sub(3)..at].iter().any(|word| list("note_asks").has(word));
    let is_report = !is_asked && at.checked_sub(1).is_some_and(|before| list("note_no_ban").has(&words[before]));
    let between = words[at + 1..].iter().take(6).take_while(|word| list("note_between").has(word)).count();
    let after = &words[at + 1 + between..];
    let is_of_call = after.first().is_some_and(|word| list("note_calls").has(word));
    let is_plain_no = words[at] == "no" && between == 0;
    is_of_call && !is_report && !is_plain_no && !after.get(1).is_some_and(|word| list("note_no_ban").has(word))
}

/// Whether the words tell of the patient's death, not of a relative's. Who tells it may be a relative: `per wife`.
fn is_death(words: &[String]) -> bool {
    let list = WordList::named;
    let place = list("death")
        .find_phrase(words)
        .or_else(|| list("death_of_patient").find_phrase(words).filter(|(_, length)| *length > 1 || words.len() == 1));
    let Some((at, length)) = place else { return false };
    let tells = |at: usize| {
        at.checked_sub(1).is_some_and(|before| matches!(words[before].as_str(), "per" | "by" | "says" | "said"))
            || words.get(at + 1).is_some_and(|after| {
                matches!(
                    after.as_str(),
                    "says" | "said" | "states" | "stated" | "reports" | "reported" | "informed" | "told"
                )
            })
    };
    let near = at.saturating_sub(3)..(at + length + 3).min(words.len());
    !near.into_iter().any(|at| list("relatives").has(&words[at]) && !tells(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_forbid_a_call_are_found_in_any_note() {
        for note in [
            "DO NOT CALL",
            "pt says: don't call!",
            "Asked us to stop calling (3/2024)",
            "prefers e-mail, no phone calls please",
            "DNC per spouse",
            "D.N.C.",
            "DoNotCall",
            "opted-out 2025-01-02",
            "opted out of calls",
            "Please do not contact at all",
            "no further calls",
            "doesn't want calls",
            "does not want any calls",
            "does not want to be called",
            "doesn’t wish to be contacted",
            "declines all calls",
            "quit calling",
            "take me off your list",
            "please remove from call list",
            "wants off the call list",
            "no robocalls",
            "no automated calls",
            "do not text or call",
            "do not ever call",
            "do not under any circumstances call",
            "pls do not ph",
            "unsubscribe",
            "revoked consent",
            "ne plus appeler",
            "no quiere llamadas",
            "will sue if called again",
            "Asked to be removed",
        ] {
            assert_eq!(forbids(note), Some(Reason::DoNotCall), "{note}");
        }
        for note in [
            "call after 5pm",
            "Call mom",
            "prefers calls",
            "contact by phone",
            "",
            "ring twice",
            "optical",
            "no show once",
            "did not call back",
            "Did not call to cancel",
            "no calls returned yet",
            "no calls missed",
            "opted out of x-rays",
            "opt-out of fluoride",
            "opted out of emails",
            "not called yet",
            "no phone",
            "stopped by, call Monday",
            "No, call the office",
            "never called us back",
            "ripped form",
            "listed twice",
            "issue with list price",
        ] {
            assert_eq!(forbids(note), None, "{note}");
        }
    }

    #[test]
    fn a_death_is_the_patients_unless_it_is_a_relatives() {
        for note in [
            "pt deceased",
            "RIP 2023",
            "† 2023",
            "passed away",
            "died 3/2024",
            "Patient is dead",
            "deceased per wife",
            "décédée",
            "DECEASED",
        ] {
            assert_eq!(forbids(note), Some(Reason::Deceased), "{note}");
        }
        for note in [
            "husband deceased",
            "wife passed away in May",
            "mother died",
            "dead tooth 14",
            "bridge deadline",
            "tooth is dead?",
        ] {
            assert_ne!(forbids(note), Some(Reason::DoNotCall), "{note}");
        }
        for note in ["husband deceased", "wife passed away in May", "mother died", "dead tooth 14"] {
            assert_eq!(forbids(note), None, "{note}");
        }
        for name in [
            "Ruiz (deceased)",
            "DECEASED Ana",
            "Ana †",
            "Estate of Ana Ruiz",
            "Ruiz - Dec'd",
            "ANA RUIZ **DECEASED**",
            "Kettler (RIP)",
            "Irwinson, Ivette (d. 2021)",
            "Irwinson, Ivette - passed",
        ] {
            assert_eq!(forbids_in_name(name), Some(Reason::Deceased), "{name}");
        }
        for name in ["*INACTIVE* Elliston", "Lorimer - inactive", "Irwinson, Ivette (moved)"] {
            assert_eq!(forbids_in_name(name), Some(Reason::Inactive), "{name}");
        }
        assert_eq!(forbids_in_name("Ruiz DNC"), Some(Reason::DoNotCall));
        for name in [
            "Ana",
            "Decker",
            "Dececco",
            "Callahan",
            "Esther Ofori",
            "Mary (Molly) Lost",
            "Ann-Marie",
            "Passmore",
            "Anna (Annie)",
        ] {
            assert_eq!(forbids_in_name(name), None, "{name}");
        }
    }
}
