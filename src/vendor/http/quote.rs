//! The vendor's message, made safe to keep and to show: no patient's data, no phone number, no control character,
//! short.

use crate::entry::{CallContent, PatientInfo};
use crate::vendor::CallRequest;
use crate::visible::is_hidden;

/// The longest quote, in characters, before the ellipsis.
const MAX_CHARS: usize = 160;

/// A run with this many digits may be a phone number or a date of birth.
const MIN_SECRET_DIGITS: usize = 7;

/// A text of the call must have this many characters to be removed from a message that repeats it.
const MIN_TEXT_CHARS: usize = 8;

/// The vendor's message about `call`, made safe.
#[must_use]
pub fn quote(message: &str, call: &CallRequest) -> String {
    let mut text = without_control_characters(message);
    for secret in secrets(&call.content) {
        text = without(&text, &secret);
    }
    shortened(&without_numbers(&text))
}

/// Control characters, invisible ones and those that change the text's direction become `\u{fffd}`. Line breaks, tabs
/// and runs of spaces become one space.
fn without_control_characters(text: &str) -> String {
    let shown = |c: char| match c {
        c if c.is_whitespace() => ' ',
        c if is_hidden(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    let plain: String = text.chars().map(shown).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The patient's data in the call's content.
fn secrets(content: &CallContent) -> Vec<String> {
    let CallContent { patient, appointment, context, voicemail, alone: _ } = content;
    let PatientInfo { first_name, last_name, patient_id, date_of_birth } = patient;
    let names = [Some(first_name), last_name.as_ref(), patient_id.as_ref()].into_iter().flatten();
    let mut secrets: Vec<_> = names.flat_map(|name| name.split_whitespace()).map(str::to_owned).collect();
    secrets.extend(date_of_birth.map(|date| date.to_string()));
    let appointment = appointment.iter().flat_map(|one| [&one.id, &one.description]).flatten();
    let texts = [context, voicemail].into_iter().flatten().chain(appointment);
    secrets.extend(
        texts.filter(|text| text.chars().count() >= MIN_TEXT_CHARS).map(|text| without_control_characters(text)),
    );
    secrets.retain(|secret| !secret.is_empty());
    // Longest first: removing a name first would break up a longer text that contains it.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

/// Replaces `secret` where it is a whole word, in any case, by an ellipsis.
fn without(text: &str, secret: &str) -> String {
    let (lower, wanted) = (text.to_lowercase(), secret.to_lowercase());
    if lower.len() != text.len() {
        // Offsets in the two texts differ, so the secret cannot be cut out exactly: drop the whole text.
        return if lower.contains(&wanted) { String::new() } else { text.to_owned() };
    }
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (mut out, mut from) = (String::new(), 0);
    for (at, _) in lower.match_indices(&wanted) {
        let end = at + wanted.len();
        let is_whole_word = !is_word(lower[..at].chars().next_back()) && !is_word(lower[end..].chars().next());
        if is_whole_word && at >= from && text.is_char_boundary(at) && text.is_char_boundary(end) {
            out.push_str(&text[from..at]);
            out.push('…');
            from = end;
        }
    }
    out.push_str(&text[from..]);
    out
}

/// Replaces runs of digits that are long enough for a phone number, however they are grouped, by an ellipsis.
fn without_numbers(text: &str) -> String {
    let (mut out, mut run) = (String::new(), String::new());
    for c in text.chars().chain(['\0']) {
        let is_digit = c.is_ascii_digit() || c == '+';
        let is_separator = matches!(c, ' ' | '.' | '-' | '(' | ')' | '/' | '\u{a0}');
        if is_digit || (is_separator && !run.is_empty()) {
            run.push(c);
            continue;
        }
        let digits = run.chars().filter(char::is_ascii_digit).count();
        let tail = run.trim_end_matches(|c: char| !c.is_ascii_digit()).len();
        if digits >= MIN_SECRET_DIGITS {
            out.push('…');
            out.push_str(&run[tail..]);
        } else {
            out.push_str(&run);
        }
        run.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    out
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
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
            content: CallContent { patient, context, ..CallContent::default() },
        }
    }

    #[test]
    fn a_message_is_kept_without_numbers_and_names() {
        for (message, kept) in [
            ("The number +1 (312) 555-0177 is not in service", "The number … is not in service"),
            ("3125550177: landline", "…: landline"),
            ("code 21211, try in 24 hours", "code 21211, try in 24 hours"),
            ("PAT example (P-17), born 1980-02-03, cannot be called", "… … (…), born …, cannot be called"),
            ("the patient's pattern is unknown", "the patient's pattern is unknown"),
            ("context \"Is due for  a cleaning\" is not allowed", "context \"…\" is not allowed"),
            ("line\none\u{1b}[31m red\u{202e} turned\u{0}", "line one\u{fffd}[31m red\u{fffd} turned\u{fffd}"),
            ("", ""),
        ] {
            assert_eq!(quote(message, &call()), kept, "{message}");
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let kept = quote(&"é".repeat(1000), &call());
        assert_eq!((kept.chars().count(), kept.ends_with('…')), (MAX_CHARS + 1, true));
    }
}
