//! Whom a refusal concerns: one patient, our number, our account, or nobody that it names.
//!
//! The vendor documents its rules but neither the status nor the words of a refusal (`annie-api.md`, POST /calls), so both
//! are read by what they name. A status decides only where it has one meaning (401, 402, 429); 400, 403, 404, 405, 415, 422
//! and the rest are alike. What names nothing that is known is [`Concern::Unknown`]: the engine treats it as one patient's
//! until others meet it, too, so an unclear refusal costs little, whichever way it was meant.

mod words;

use self::words::{
    ACCOUNT, ACCOUNT_LIMITS, ACCOUNTS_OWN, CAPS, CODES, CREDENTIALS, DESTINATION, KINDS_OF_DESTINATION, LIMITS,
    NAMED_HOURS, OF_A_SANDBOX, OUR_CALLER, OURS, OUTBOUND, PACE, PLAIN_HOURS, STATES_OF_DESTINATION, TEXT_ITSELF,
    TEXTS, WRONG_WITH_TEXTS,
};
use super::CallRequest;
use super::wire::Said;
use crate::phone::E164;

/// Whom a refusal concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Concern {
    /// The number to dial: this patient only, for good.
    Destination,
    /// What this call says: this patient only, for good.
    Content,
    /// How often this patient is called: this patient only, for a while.
    Cap,
    /// The number that calls.
    OurNumber,
    /// The organisation's account.
    Account,
    /// The credentials.
    Credentials,
    /// The time of day.
    Hours,
    /// How often we ask.
    Pace,
    /// Nothing that is known.
    Unknown,
}

impl Concern {
    /// Its word in the ledger's evidence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Destination => "destination",
            Self::Content => "content",
            Self::Cap => "cap",
            Self::OurNumber => "number",
            Self::Account => "account",
            Self::Credentials => "credentials",
            Self::Hours => "hours",
            Self::Pace => "pace",
            Self::Unknown => "unknown",
        }
    }
}

/// Whom the refusal of `call` concerns.
#[must_use]
pub fn concern(status: u16, said: &Said, call: &CallRequest) -> Concern {
    let words = Words::of(said, call);
    words.concern(status).unwrap_or(match status {
        401 => Concern::Credentials,
        402 => Concern::Account,
        429 => Concern::Pace,
        _ => Concern::Unknown,
    })
}

/// A refusal's words, in the form in which they are compared.
struct Words {
    /// In lower case, words apart by one space, one at either end.
    text: String,
    /// Where the called number is first named, by a name or by its digits.
    destination: Option<usize>,
    /// Where ours is.
    ours: Option<usize>,
}

impl Words {
    fn of(said: &Said, call: &CallRequest) -> Self {
        let text = spaced(&said.searched());
        let named = |words: &[&str], number: E164| {
            let spelt = place_of(&text, &tail(&number.expose()));
            words.iter().filter_map(|word| text.find(word)).chain(spelt).min()
        };
        let (destination, ours) = (named(DESTINATION, call.to), named(OURS, call.from));
        Self { text, destination, ours }
    }

    fn say(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.text.contains(word))
    }

    fn concern(&self, status: u16) -> Option<Concern> {
        self.of_a_code()
            .or_else(|| self.of_the_call())
            .or_else(|| self.of_the_account())
            .or_else(|| (status == 429).then_some(Concern::Pace))
            .or_else(|| self.of_a_number())
            .or_else(|| self.of_who_calls())
    }

    fn of_a_code(&self) -> Option<Concern> {
        CODES.iter().find(|(code, _)| self.text.contains(code)).map(|(_, concern)| *concern)
    }

    /// What this call says, or when and how often it is made.
    fn of_the_call(&self) -> Option<Concern> {
        let limits = self.say(LIMITS);
        let of_an_account = self.say(ACCOUNTS_OWN) || (limits && self.say(ACCOUNT));
        let content = self.say(TEXT_ITSELF) || (self.say(TEXTS) && self.say(WRONG_WITH_TEXTS));
        let cap = self.say(CAPS) || (limits && self.destination.is_some());
        [
            (content, Concern::Content),
            (self.say(PACE), Concern::Pace),
            (self.say(NAMED_HOURS), Concern::Hours),
            (cap && !of_an_account, Concern::Cap),
            (self.say(PLAIN_HOURS) && !of_an_account, Concern::Hours),
            // Whoever reported it: a number that is taken for spam is ours.
            (self.say(&[" spam"]), Concern::OurNumber),
            (self.is_of_a_kind(), Concern::Destination),
        ]
        .into_iter()
        .find_map(|(is_so, concern)| is_so.then_some(concern))
    }

    fn is_of_a_kind(&self) -> bool {
        let of_a_sandbox = self.say(&[" sandbox"]) && self.say(OF_A_SANDBOX);
        self.say(KINDS_OF_DESTINATION) || of_a_sandbox
    }

    /// What only an account has, unless our number is what it is said of.
    fn of_the_account(&self) -> Option<Concern> {
        let limited = self.say(LIMITS) && self.say(ACCOUNT);
        let is_so = self.say(ACCOUNTS_OWN) || limited || self.say(ACCOUNT_LIMITS);
        (is_so && self.ours.is_none()).then_some(Concern::Account)
    }

    /// Which of the two numbers is named; where both are, the first is what is refused.
    fn of_a_number(&self) -> Option<Concern> {
        match (self.destination, self.ours) {
            (Some(to), Some(from)) if to < from => Some(Concern::Destination),
            (_, Some(_)) => Some(Concern::OurNumber),
            (Some(_), None) => Some(Concern::Destination),
            (None, None) if self.say(OUR_CALLER) => Some(Concern::OurNumber),
            (None, None) => self.say(STATES_OF_DESTINATION).then_some(Concern::Destination),
        }
    }

    fn of_who_calls(&self) -> Option<Concern> {
        let said = [(CREDENTIALS, Concern::Credentials), (ACCOUNT, Concern::Account), (OUTBOUND, Concern::OurNumber)];
        said.into_iter().find_map(|(words, concern)| self.say(words).then_some(concern))
    }
}

/// Lower case, `camelCase` and punctuation as spaces, one space between words and at either end.
fn spaced(text: &str) -> String {
    let mut out = String::from(" ");
    let mut before = ' ';
    for sign in text.chars() {
        if sign.is_uppercase() && before.is_lowercase() {
            out.push(' ');
        }
        if sign.is_alphanumeric() {
            out.extend(sign.to_lowercase());
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
        before = sign;
    }
    if !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

/// Where in `text` (words apart by one space) these digits are, however they are grouped.
fn place_of(text: &str, digits: &str) -> Option<usize> {
    let places = text.char_indices().filter(|(_, sign)| sign.is_ascii_digit());
    places.map(|(at, _)| at).find(|&at| {
        let mut from_here = text[at..].chars().filter(|sign| *sign != ' ');
        digits.chars().all(|digit| from_here.next() == Some(digit))
    })
}

/// The digits by which a number is recognised, whether it is written with its country or without.
fn tail(number: &str) -> String {
    let digits = number.trim_start_matches('+');
    digits[digits.len().saturating_sub(10)..].to_owned()
}
