//! The vendor's own words, made safe to keep and to show: no patient's data, no number, no control character, and short.

use super::CallRequest;
use crate::entry::{Content, PatientInfo};
use crate::visible::is_hidden;

/// The most of the vendor's words that is kept, in characters.
const AT_MOST: usize = 160;

/// A run of digits this long may be a phone number, or a date of birth.
const DIGITS_OF_A_NUMBER: usize = 7;

/// A text of a call that is at least this long, in characters, is recognised within an answer that repeats it.
const TEXT_AT_LEAST: usize = 8;

/// What the vendor said of `call`, made safe.
#[must_use]
pub fn quote(said: &str, call: &CallRequest) -> String {
    let mut text = without_controls(said);
    for secret in secrets(&call.content) {
        text = without(&text, &secret);
    }
    shortened(&without_numbers(&text))
}

/// Control characters, and those that turn the direction of a text or cannot be seen, become `\u{fffd}`; line breaks and tabs,
/// and several spaces, one space.
fn without_controls(text: &str) -> String {
    let shown = |sign: char| match sign {
        sign if sign.is_whitespace() => ' ',
        sign if is_hidden(sign) => char::REPLACEMENT_CHARACTER,
        sign => sign,
    };
    let plain: String = text.chars().map(shown).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the call told the vendor about the patient.
fn secrets(content: &Content) -> Vec<String> {
    let Content { patient, appointment, context, voicemail } = content;
    let PatientInfo { first_name, last_name, patient_id, date_of_birth } = patient;
    let names = [Some(first_name), last_name.as_ref(), patient_id.as_ref()].into_iter().flatten();
    let mut secrets: Vec<_> = names.flat_map(|name| name.split_whitespace()).map(str::to_owned).collect();
    secrets.extend(date_of_birth.map(|date| date.to_string()));
    let appointment = appointment.iter().flat_map(|one| [&one.id, &one.description]).flatten();
    let texts = [context, voicemail].into_iter().flatten().chain(appointment);
    secrets.extend(texts.filter(|text| text.chars().count() >= TEXT_AT_LEAST).map(|text| without_controls(text)));
    secrets.retain(|secret| !secret.is_empty());
    // A name that is part of a longer text must not break that text up before it is found.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

/// `secret` as a word of its own, in whatever case, is left out.
fn without(text: &str, secret: &str) -> String {
    let (low, sought) = (text.to_lowercase(), secret.to_lowercase());
    if low.len() != text.len() {
        // Case changes lengths here: what cannot be found exactly is not shown at all.
        return if low.contains(&sought) { String::new() } else { text.to_owned() };
    }
    let is_inside = |sign: Option<char>| sign.is_some_and(char::is_alphanumeric);
    let (mut out, mut from) = (String::new(), 0);
    for (at, _) in low.match_indices(&sought) {
        let end = at + sought.len();
        let apart = !is_inside(low[..at].chars().next_back()) && !is_inside(low[end..].chars().next());
        if apart && at >= from && text.is_char_boundary(at) && text.is_char_boundary(end) {
            out.push_str(&text[from..at]);
            out.push('…');
            from = end;
        }
    }
    out.push_str(&text[from..]);
    out
}

/// Runs of digits, however they are grouped, are left out where they are long enough to be a number.
fn without_numbers(text: &str) -> String {
    let (mut out, mut run) = (String::new(), String::new());
    for sign in text.chars().chain(['\0']) {
        let begins = sign.is_ascii_digit() || sign == '+';
        let goes_on = matches!(sign, ' ' | '.' | '-' | '(' | ')' | '/' | '\u{a0}');
        if begins || (goes_on && !run.is_empty()) {
            run.push(sign);
            continue;
        }
        let digits = run.chars().filter(char::is_ascii_digit).count();
        let tail = run.trim_end_matches(|sign: char| !sign.is_ascii_digit()).len();
        if digits >= DIGITS_OF_A_NUMBER {
            out.push('…');
            out.push_str(&run[tail..]);
        } else {
            out.push_str(&run);
        }
        run.clear();
        if sign != '\0' {
            out.push(sign);
        }
    }
    out
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(AT_MOST) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::E164;

    fn call() -> CallRequest {
        let patient = PatientInfo {
            first_name: "Pat".into(),
            last_name: Some("Example".into()),
            patient_id: Some("P-17".into()),
            date_of_birth: "1980-02-03".parse().ok(),
        };
        let context = Some("is due for a cleaning".into());
        let number = |text| E164::parse(text).expect("a number");
        CallRequest {
            from: number("+13125550142"),
            to: number("+13125550177"),
            content: Content { patient, context, ..Content::default() },
        }
    }

    #[test]
    fn the_vendors_words_are_kept_without_anybodys_number_or_name() {
        for (said, kept) in [
            ("The number +1 (312) 555-0177 is not in service", "The number … is not in service"),
            ("3125550177: landline", "…: landline"),
            ("code 21211, try in 24 hours", "code 21211, try in 24 hours"),
            ("PAT example (P-17), born 1980-02-03, cannot be called", "… … (…), born …, cannot be called"),
            ("the patient's pattern is unknown", "the patient's pattern is unknown"),
            ("context \"Is due for  a cleaning\" is not allowed", "context \"…\" is not allowed"),
            ("line\none\u{1b}[31m red\u{202e} turned\u{0}", "line one\u{fffd}[31m red\u{fffd} turned\u{fffd}"),
            ("", ""),
        ] {
            assert_eq!(quote(said, &call()), kept, "{said}");
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let kept = quote(&"é".repeat(1000), &call());
        assert_eq!((kept.chars().count(), kept.ends_with('…')), (AT_MOST + 1, true));
    }
}
