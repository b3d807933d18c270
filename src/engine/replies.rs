//! What an answer of the vendor means for an entry: from [`Reply`] and [`Conversation`] to facts, pure.

use chrono::{DateTime, TimeDelta, Utc};

use crate::annie::{Conversation, LostAnswer, NotPlaced};
use crate::campaign::Campaign;
use crate::entry::{Fact, Outcome, Reason};
use crate::policy::redial;

use super::ending::Refusal;

/// After the vendor's own limit for a number was met, though our book did not show it (somebody else calls it too).
const VENDOR_CAP_WAIT: TimeDelta = TimeDelta::hours(24);

/// Whose trouble it is that a call was not placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The entry's alone: it may be tried again after a while.
    Entry(Reason, TimeDelta),
    /// The entry's alone, for good.
    Final(Reason),
    /// The budget's: the limiter knows until when.
    Budget,
    /// The line's: no connection.
    Unreachable,
    /// The line's: the credentials.
    Unauthorised,
    /// The line's: the hour.
    OutsideHours,
    /// The line's, for good: its number may not call.
    NumberRefused,
    /// Everybody's, for good.
    Refused(Refusal),
}

/// Sorts a call that was not placed.
pub(super) fn trouble(not_placed: &NotPlaced) -> Trouble {
    match not_placed {
        NotPlaced::NeverConnected => Trouble::Unreachable,
        NotPlaced::RateLimited => Trouble::Budget,
        NotPlaced::Unauthorised { .. } => Trouble::Unauthorised,
        NotPlaced::LineRefused { .. } => Trouble::NumberRefused,
        NotPlaced::OutsideHours { .. } => Trouble::OutsideHours,
        NotPlaced::OverCap { .. } => Trouble::Entry(Reason::VendorCap, VENDOR_CAP_WAIT),
        // No such path, no such method, no such kind of body: we are not talking to the API that we think.
        NotPlaced::Refused { status: 404 | 405 | 415 } => Trouble::Refused(Refusal::Address),
        NotPlaced::Refused { .. } => Trouble::Final(Reason::VendorRefused),
    }
}

/// The status of a refusal, as evidence.
pub(super) fn status(not_placed: &NotPlaced) -> Option<String> {
    let status = match *not_placed {
        NotPlaced::NeverConnected | NotPlaced::RateLimited => return None,
        NotPlaced::Unauthorised { status }
        | NotPlaced::LineRefused { status }
        | NotPlaced::OutsideHours { status }
        | NotPlaced::OverCap { status }
        | NotPlaced::Refused { status } => status,
    };
    Some(format!("status {status}"))
}

/// What came instead of an answer, in words.
pub(super) fn because(lost: LostAnswer) -> String {
    match lost {
        LostAnswer::Timeout => "no answer in time".into(),
        LostAnswer::Broken => "the connection broke".into(),
        LostAnswer::Status(status) => format!("status {status}"),
        LostAnswer::Unreadable => "the answer could not be read".into(),
    }
}

/// What a closed conversation means: the fact, and the rule that said so as evidence.
pub(super) fn ended(
    campaign: &Campaign,
    conversation: &Conversation,
    call: u32,
    now: DateTime<Utc>,
) -> (Outcome, Fact, String) {
    let (outcome, rule) = campaign.outcomes.classify(&conversation.testimony);
    let elsewhere = redial::another_number(&campaign.redial, outcome, call).then_some(now);
    let redial = redial::next_call(&campaign.redial, outcome, call, now).or(elsewhere);
    let evidence = rule.map_or_else(|| "no outcome rule matched".into(), |rule| format!("outcome rule {rule}"));
    (outcome, Fact::Ended { outcome, redial }, evidence)
}
