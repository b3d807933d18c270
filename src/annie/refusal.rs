//! Whom a refusal concerns: one patient, our number, our account, or nobody that it names.
//!
//! The vendor documents its rules but neither the status nor the words of a refusal (`annie-api.md`, POST /calls), so both
//! are read by what they name. A status decides only where it has one meaning (401, 402, 429); 400, 403, 404, 405, 415, 422
//! and the rest are alike. What names nothing that is known is [`Concern::Unknown`]: the engine treats it as one patient's
//! until others meet it, too, so an unclear refusal costs little, whichever way it was meant.

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

/// Texts of a call, by what is wrong with texts.
const TEXTS: &[&str] = &[
    " context",
    " voicemail",
    " first name",
    " last name",
    " date of birth",
    " dob ",
    " patient info",
    " patient id",
    " appointment",
    " message body",
    " script",
];
const WRONG_WITH_TEXTS: &[&str] = &[
    " character",
    " too long",
    " longer than",
    " too short",
    " too large",
    " exceed",
    " length",
    " invalid",
    " required",
    " must ",
    " malformed",
    " format",
    " prohibited",
    " not allowed",
    " not permitted",
    " unsafe",
    " html",
    " empty",
    " unsupported",
    " disallowed",
    " content",
];
/// Wrong with a text whatever it is called.
const TEXT_ITSELF: &[&str] = &[
    " too long",
    " characters",
    " content policy",
    " moderation",
    " profan",
    " payload too large",
    " entity too large",
];

const PACE: &[&str] = &[
    " rate limit",
    " ratelimit",
    " too many requests",
    " throttl",
    " slow down",
    " requests per",
    " per second",
    " concurren",
    " simultaneous",
    " back off",
    " try again in a few seconds",
];

const NAMED_HOURS: &[&str] = &[
    " legal hours",
    " business hours",
    " calling hours",
    " call hours",
    " quiet hours",
    " quiet time",
    " operating hours",
    " office hours",
    " allowed hours",
    " permitted hours",
    " outside hours",
    " outside of hours",
    " outside permitted",
    " calling window",
    " call window",
    " time window",
    " time of day",
    " call time",
    " permitted window",
    " allowed window",
    " local time",
    " curfew",
    " after hours",
    " 9 am",
    " 9am",
    " 8 pm",
    " 8pm",
    " 9 00 am",
    " 8 00 pm",
    " 09 00",
    " 20 00",
];
const PLAIN_HOURS: &[&str] = &[" hours", " too early", " too late", " at this time of"];

/// How often one number is called.
const CAPS: &[&str] = &[
    " 24 hour",
    " 24h",
    " hours between",
    " between attempts",
    " between calls",
    " attempts",
    " attempted",
    " attempt limit",
    " 7 day",
    " 7d ",
    " 30 day",
    " 30d ",
    " per week",
    " weekly",
    " cool",
    " too soon",
    " already called",
    " already been called",
    " recently",
    " frequency",
    " same number",
    " same recipient",
    " too many calls to",
    " calls to this",
];
const LIMITS: &[&str] =
    &[" limit", " cap ", " maximum", " max ", " too many", " exceed", " quota", " reached", " allowance"];

/// What only an account has: money, a plan, a standing.
const ACCOUNTS_OWN: &[&str] = &[
    " billing",
    " payment",
    " invoice",
    " overdue",
    " past due",
    " balance",
    " fund",
    " credit",
    " prepaid",
    " subscription",
    " upgrade",
    " your plan",
    " current plan",
    " plan ",
    " tier",
    " trial ",
    " monthly",
    " of the month",
    " this month",
    " minutes",
    " suspend",
    " deactivated",
    " delinquen",
    " frozen",
    " kyc",
    " terms of service",
    " license",
    " licence",
    " contract",
    " on hold",
    " elapsed",
    " trial has",
    " baa ",
    " agreement",
    " not signed",
];
/// The account, by its names.
const ACCOUNT: &[&str] = &[
    " account",
    " organization",
    " organisation",
    " org ",
    " workspace",
    " tenant",
    " company",
    " practice",
    " customer is",
    " project",
    " your usage",
    " usage",
    " spending",
    " feature",
];
/// Limits that only an account has, unless a called number is named.
const ACCOUNT_LIMITS: &[&str] = &[" daily limit", " call limit", " calls per day", " daily cap", " daily quota"];

/// Kinds of number, places, and lists that only a called number is on: whoever calls it.
const KINDS_OF_DESTINATION: &[&str] = &[
    " do not call",
    " donotcall",
    " dnc",
    " registry",
    " opted out",
    " opt out",
    " unsubscribed",
    " consent",
    " landline",
    " mobile number",
    " voip",
    " premium",
    " toll ",
    " shared cost",
    " satellite",
    " emergency",
    " 911",
    " short code",
    " pay per",
    " country",
    " countries",
    " international",
    " geo ",
    " geograph",
    " region",
    " area code",
    " allow list",
    " allowlist",
    " whitelist",
    " safelist",
    " verified numbers",
    " verified recipient",
    " litigator",
    " reassigned",
    " deceased",
];
/// States in which a called number is, though ours may be, too.
const STATES_OF_DESTINATION: &[&str] = &[
    " unreachable",
    " not reachable",
    " be reached",
    " not in service",
    " out of service",
    " disconnected",
    " unallocated",
    " unassigned",
    " not routable",
    " unroutable",
    " no route",
    " not dialable",
    " not diallable",
    " not a dial",
    " be dialed",
    " be dialled",
    " be called",
    " not callable",
    " block list",
    " blocklist",
    " blacklist",
    " deny list",
    " denylist",
    " blocked number",
    " number is blocked",
    " number blocked",
    " rejected by the carrier",
    " carrier rejected",
    " calls to ",
    " invalid number",
    " invalid phone number",
    " valid number",
    " valid phone number",
];
/// With these, a sandbox is about whom it may call; without, about the account.
const OF_A_SANDBOX: &[&str] = &[" allow", " number", " destination", " recipient", " verified"];
/// The called number, by its names.
const DESTINATION: &[&str] = &[
    " to number",
    " tonumber",
    " to phone",
    " destination",
    " recipient",
    " callee",
    " called party",
    " called number",
    " target number",
    " target phone",
    " dialed",
    " dialled",
    " patient",
    " contact",
    " customer number",
    " client s number",
    " you are trying to",
    " you re trying to",
    " number you are calling",
    " number to call",
    " to call this number",
    " calls to this number",
    " calling this number",
    " call to this number",
    " lead ",
    " to parameter",
    " to field",
    " to must ",
    " to is ",
    " invalid to must",
];

/// Our number, by its names.
const OURS: &[&str] = &[
    " from number",
    " fromnumber",
    " from phone",
    " caller id",
    " callerid",
    " caller number",
    " calling number",
    " calling party",
    " source number",
    " originat",
    " sender",
    " your number",
    " your phone number",
    " outbound number",
    " cli ",
    " phone number id",
    " not attached",
    " a2p",
    " 10dlc",
    " attestation",
    " from parameter",
    " from field",
    " from must ",
    " from is ",
];
/// What calls from it.
const OUR_CALLER: &[&str] = &[" bot ", " bots ", " agent", " assistant", " not allowed to call", " place calls"];
const OUTBOUND: &[&str] = &[" outbound"];

const CREDENTIALS: &[&str] = &[
    " api key",
    " apikey",
    " token",
    " jwt",
    " bearer",
    " unauthoriz",
    " unauthoris",
    " unauthenticated",
    " authenticat",
    " authorization header",
    " credential",
    " client secret",
    " client id",
    " signature",
    " scope",
    " log in",
    " login",
    " session",
    " access key",
];

/// Numbers under which telephony companies know a refusal (Twilio's error dictionary, which many pass on).
const CODES: &[(&str, Concern)] = &[
    (" 13223 ", Concern::Destination),
    (" 13224 ", Concern::Destination),
    (" 13225 ", Concern::Destination),
    (" 13226 ", Concern::Destination),
    (" 13227 ", Concern::Destination),
    (" 21201 ", Concern::Destination),
    (" 21211 ", Concern::Destination),
    (" 21214 ", Concern::Destination),
    (" 21215 ", Concern::Destination),
    (" 21216 ", Concern::Destination),
    (" 21217 ", Concern::Destination),
    (" 21219 ", Concern::Destination),
    (" 21408 ", Concern::Destination),
    (" 21610 ", Concern::Destination),
    (" 21612 ", Concern::Destination),
    (" 21614 ", Concern::Destination),
    (" 32203 ", Concern::Destination),
    (" 21210 ", Concern::OurNumber),
    (" 21212 ", Concern::OurNumber),
    (" 21213 ", Concern::OurNumber),
    (" 21603 ", Concern::OurNumber),
    (" 21606 ", Concern::OurNumber),
    (" 20003 ", Concern::Credentials),
    (" 20104 ", Concern::Credentials),
    (" 20429 ", Concern::Pace),
];

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
