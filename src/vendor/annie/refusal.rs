//! What a refusal is about: one patient, the caller id, the organisation's account, or nothing that is recognised.
//!
//! The vendor documents its rules but neither the status nor the wording of a refusal (`annie-api.md`, POST /calls), so
//! both are classified by the phrases that they contain. A status decides only where it has one meaning (401, 402,
//! 429); 400, 403, 404, 405, 415, 422 and the rest mean nothing in particular. A refusal without a known phrase is
//! [`Concern::Unknown`]: the engine counts it against one patient until other patients meet it too, so an unclear
//! refusal costs little, whichever way it was meant.

mod phrases;

use self::phrases::PHRASES;
use super::wire::ErrorBody;
use crate::phone::E164;
use crate::vendor::{CallRequest, Concern};

/// What the refusal of `call` is about.
#[must_use]
pub fn concern(status: u16, error: &ErrorBody, call: &CallRequest) -> Concern {
    let text = RefusalText::new(error, call);
    text.concern(status).unwrap_or(match status {
        401 => Concern::Credentials,
        402 => Concern::Account,
        429 => Concern::RateLimit,
        _ => Concern::Unknown,
    })
}

/// A refusal's text, normalised for comparison with the phrases of [`phrases`].
struct RefusalText {
    /// Lower case, with one space between words and at both ends.
    text: String,
    /// The byte offset at which the called number is first mentioned, by a phrase or by its digits.
    destination: Option<usize>,
    /// The same for the caller id.
    caller_id: Option<usize>,
}

impl RefusalText {
    fn new(error: &ErrorBody, call: &CallRequest) -> Self {
        let text = normalised(&error.searched());
        let first_mention = |phrases: &[String], number: E164| {
            let digits = position_of(&text, &last_digits(&number.expose()));
            phrases.iter().filter_map(|phrase| text.find(phrase.as_str())).chain(digits).min()
        };
        let (destination, caller_id) =
            (first_mention(&PHRASES.destination, call.to), first_mention(&PHRASES.caller_id, call.from));
        Self { text, destination, caller_id }
    }

    fn contains(&self, phrases: &[String]) -> bool {
        phrases.iter().any(|phrase| self.text.contains(phrase.as_str()))
    }

    fn concern(&self, status: u16) -> Option<Concern> {
        self.concern_by_code()
            .or_else(|| self.concern_of_call())
            .or_else(|| self.concern_of_account())
            .or_else(|| (status == 429).then_some(Concern::RateLimit))
            .or_else(|| self.concern_of_number())
            .or_else(|| self.concern_of_organisation())
    }

    fn concern_by_code(&self) -> Option<Concern> {
        PHRASES.codes.iter().find(|codes| self.contains(&codes.phrases)).map(|codes| codes.concern)
    }

    /// The call's content, its time, or how often calls are made.
    fn concern_of_call(&self) -> Option<Concern> {
        let has_limit = self.contains(&PHRASES.limits);
        let is_account = self.contains(&PHRASES.account_only) || (has_limit && self.contains(&PHRASES.account_names));
        let is_content = self.contains(&PHRASES.text_faults)
            || (self.contains(&PHRASES.text_fields) && self.contains(&PHRASES.text_field_faults));
        let is_cap = self.contains(&PHRASES.caps) || (has_limit && self.destination.is_some());
        [
            (is_content, Concern::Content),
            (self.is_concurrency(), Concern::ConcurrentCalls),
            (self.contains(&PHRASES.rate_limit), Concern::RateLimit),
            (self.contains(&PHRASES.named_hours), Concern::Hours),
            (is_cap && !is_account, Concern::Cap),
            (self.contains(&PHRASES.plain_hours) && !is_account, Concern::Hours),
            // Only a caller id is reported as spam.
            (self.contains(&PHRASES.spam), Concern::CallerId),
            (self.is_destination_kind(), Concern::Destination),
        ]
        .into_iter()
        .find_map(|(matches, concern)| matches.then_some(concern))
    }

    /// The number of calls in progress, and not of requests.
    fn is_concurrency(&self) -> bool {
        let is_named = self.contains(&PHRASES.concurrency_words) && self.contains(&PHRASES.concurrent_things);
        (is_named || self.contains(&PHRASES.concurrent_calls)) && !self.contains(&PHRASES.requests)
    }

    /// A kind of number, or a list, that only a called number can be on.
    fn is_destination_kind(&self) -> bool {
        let is_sandbox = self.contains(&PHRASES.sandbox) && self.contains(&PHRASES.sandbox_destination);
        self.contains(&PHRASES.destination_kinds) || is_sandbox
    }

    /// A matter of the organisation's account, unless the text mentions the caller id.
    fn concern_of_account(&self) -> Option<Concern> {
        let has_limit = self.contains(&PHRASES.limits) && self.contains(&PHRASES.account_names);
        let is_account = self.contains(&PHRASES.account_only) || has_limit || self.contains(&PHRASES.account_limits);
        (is_account && self.caller_id.is_none()).then_some(Concern::Account)
    }

    /// The number that the text mentions; of both, the first one is the refused one.
    fn concern_of_number(&self) -> Option<Concern> {
        match (self.destination, self.caller_id) {
            (Some(to), Some(from)) if to < from => Some(Concern::Destination),
            (_, Some(_)) => Some(Concern::CallerId),
            (Some(_), None) => Some(Concern::Destination),
            (None, None) if self.contains(&PHRASES.bot) => Some(Concern::CallerId),
            (None, None) => self.contains(&PHRASES.destination_states).then_some(Concern::Destination),
        }
    }

    /// The credentials, the account or outbound calling, where nothing more specific matched.
    fn concern_of_organisation(&self) -> Option<Concern> {
        let last = [
            (&PHRASES.credentials, Concern::Credentials),
            (&PHRASES.account_names, Concern::Account),
            (&PHRASES.outbound, Concern::CallerId),
        ];
        last.into_iter().find_map(|(phrases, concern)| self.contains(phrases).then_some(concern))
    }
}

/// Lower case, with one space between words and at both ends; `camelCase` is split, punctuation becomes a space.
fn normalised(text: &str) -> String {
    let mut out = String::from(" ");
    let mut previous = ' ';
    for c in text.chars() {
        if c.is_uppercase() && previous.is_lowercase() {
            out.push(' ');
        }
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
        previous = c;
    }
    if !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

/// The byte offset of `digits` in a normalised `text`, however they are grouped there.
fn position_of(text: &str, digits: &str) -> Option<usize> {
    let starts = text.char_indices().filter(|(_, c)| c.is_ascii_digit());
    starts.map(|(at, _)| at).find(|&at| {
        let mut rest = text[at..].chars().filter(|c| *c != ' ');
        digits.chars().all(|digit| rest.next() == Some(digit))
    })
}

/// The last ten digits, which are the same with and without the country code.
fn last_digits(number: &str) -> String {
    let digits = number.trim_start_matches('+');
    digits[digits.len().saturating_sub(10)..].to_owned()
}
