//! What an answer of the vendor means for an entry: from [`Reply`] and [`Conversation`] to facts, pure.

use chrono::{DateTime, TimeDelta, Utc};

use crate::annie::{Concern, Conversation, LostAnswer, NotPlaced, Refused};
use crate::campaign::Campaign;
use crate::entry::{Fact, Outcome, Reason};
use crate::policy::redial;

use super::refusals;

/// After the vendor's own limit for a number was met, though our book did not show it (somebody else calls it too).
const VENDOR_CAP_WAIT: TimeDelta = TimeDelta::hours(24);

/// What an attempt that was not placed means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble<'a> {
    /// The entry's alone: it may be tried again after a while.
    Entry(Reason, TimeDelta),
    /// The entry's alone, for good.
    Final(Reason),
    /// The budget's: the limiter knows until when.
    Budget,
    /// No connection.
    Unreachable,
    /// The credentials, the newest ones.
    Unauthorised,
    /// A token that has been replaced: the next request bears another one.
    StaleToken,
    /// The hour.
    OutsideHours,
    /// Nobody's until it is known whether others meet it, too.
    Unproven(Reason, &'a Refused),
}

/// Sorts a call that was not placed.
pub(super) fn trouble(not_placed: &NotPlaced) -> Trouble<'_> {
    let refused = match not_placed {
        NotPlaced::NeverConnected => return Trouble::Unreachable,
        NotPlaced::RateLimited => return Trouble::Budget,
        NotPlaced::StaleToken => return Trouble::StaleToken,
        NotPlaced::Refused(refused) => refused,
    };
    match refused.concern {
        Concern::Destination | Concern::Content => Trouble::Final(Reason::VendorRefused),
        Concern::Cap => Trouble::Entry(Reason::VendorCap, VENDOR_CAP_WAIT),
        Concern::Hours => Trouble::OutsideHours,
        Concern::Pace => Trouble::Budget,
        Concern::Credentials => Trouble::Unauthorised,
        Concern::OurNumber => Trouble::Unproven(Reason::LineRefused, refused),
        Concern::Account => Trouble::Unproven(Reason::AccountRefused, refused),
        Concern::Unknown => Trouble::Unproven(Reason::RefusedUnexplained, refused),
    }
}

/// What a refusal says, as evidence.
pub(super) fn evidence(not_placed: &NotPlaced) -> Option<String> {
    match not_placed {
        NotPlaced::NeverConnected | NotPlaced::RateLimited => None,
        NotPlaced::StaleToken => Some("the token had been replaced meanwhile".into()),
        NotPlaced::Refused(refused) => Some(refusals::evidence(refused)),
    }
}

/// What came instead of an answer, in words.
pub(super) fn because(lost: LostAnswer) -> String {
    match lost {
        LostAnswer::Timeout => "no answer in time".into(),
        LostAnswer::Broken => "the connection broke".into(),
        LostAnswer::Status(status) => format!("status {status}"),
        LostAnswer::Unreadable => "the answer could not be read".into(),
        LostAnswer::OfAnother => "the vendor named another call's conversation".into(),
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
