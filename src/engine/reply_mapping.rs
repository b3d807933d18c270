//! What an answer of the vendor means for an entry: maps [`Reply`](crate::vendor::Reply) and [`Conversation`] to facts.
//! Pure.

use chrono::{DateTime, TimeDelta, Utc};

use crate::campaign::{Campaign, Redial};
use crate::entry::{Classification, Fact, Reason};
use crate::policy::redial;
use crate::vendor::{Concern, Conversation, LostAnswer, NotPlaced, Refused};

use super::refusals;

/// The wait after the vendor's own cap for a number was reached although the ledger does not show it: somebody else
/// calls that number too.
const VENDOR_CAP_WAIT: TimeDelta = TimeDelta::hours(24);

/// What follows from an attempt that was not placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotPlacedEffect<'a> {
    /// Concerns this entry alone, which may be tried again after a while.
    RetryEntry(Reason, TimeDelta),
    /// Concerns this entry alone, for good.
    RefuseEntry(Reason),
    /// The request budget is used up; the quota decides until when.
    RateLimited,
    /// Too many calls are in progress.
    TooManyCalls,
    /// No connection.
    Unreachable,
    /// The vendor rejected our newest credentials.
    Unauthorised,
    /// The token had been replaced: the next request carries the new one.
    StaleToken,
    /// The vendor says that it is outside calling hours.
    OutsideHours,
    /// A refusal that may concern everyone: counted until it is known whether other patients are refused too.
    CountRefusal(Reason, &'a Refused),
}

pub(super) fn not_placed_effect(not_placed: &NotPlaced) -> NotPlacedEffect<'_> {
    let refused = match not_placed {
        NotPlaced::NeverConnected => return NotPlacedEffect::Unreachable,
        NotPlaced::RateLimited => return NotPlacedEffect::RateLimited,
        NotPlaced::StaleToken => return NotPlacedEffect::StaleToken,
        NotPlaced::Refused(refused) => refused,
    };
    match refused.concern {
        Concern::Destination => NotPlacedEffect::RefuseEntry(Reason::VendorRefused),
        Concern::Content => NotPlacedEffect::RefuseEntry(Reason::ContentRefused),
        Concern::Cap => NotPlacedEffect::RetryEntry(Reason::VendorCap, VENDOR_CAP_WAIT),
        Concern::Hours => NotPlacedEffect::OutsideHours,
        Concern::RateLimit => NotPlacedEffect::RateLimited,
        Concern::ConcurrentCalls => NotPlacedEffect::TooManyCalls,
        Concern::Credentials => NotPlacedEffect::Unauthorised,
        Concern::CallerId => NotPlacedEffect::CountRefusal(Reason::LineRefused, refused),
        Concern::Account => NotPlacedEffect::CountRefusal(Reason::AccountRefused, refused),
        Concern::Unknown => NotPlacedEffect::CountRefusal(Reason::RefusedUnexplained, refused),
    }
}

/// What the vendor said, for the ledger.
pub(super) fn evidence(not_placed: &NotPlaced) -> Option<String> {
    match not_placed {
        NotPlaced::NeverConnected | NotPlaced::RateLimited => None,
        NotPlaced::StaleToken => Some("the token had been replaced".into()),
        NotPlaced::Refused(refused) => Some(refusals::evidence(refused)),
    }
}

/// What came instead of an answer.
pub(super) fn lost_answer_reason(lost: LostAnswer) -> String {
    match lost {
        LostAnswer::Timeout => "no answer in time".into(),
        LostAnswer::Broken => "the connection broke".into(),
        LostAnswer::Status(status) => format!("status {status}"),
        LostAnswer::Unreadable => "the answer could not be read".into(),
        LostAnswer::WrongConversation => "the vendor named another call's conversation".into(),
    }
}

/// What a closed conversation was taken for, and the fact for the ledger.
pub(super) fn on_closed(
    campaign: &Campaign,
    conversation: &Conversation,
    call: u32,
    now: DateTime<Utc>,
) -> (Classification, Fact) {
    let taken_for = campaign.outcomes.classify(&conversation.signals);
    let fact = ended(&taken_for, &campaign.redial, call, now);
    (taken_for, fact)
}

/// What a conversation that was taken for this means for its entry, after so many calls.
fn ended(taken_for: &Classification, rules: &Redial, call: u32, now: DateTime<Utc>) -> Fact {
    let outcome = taken_for.outcome;
    match taken_for.to_review() {
        Some(doubt) => Fact::EndedInDoubt { outcome, doubt },
        None => Fact::Ended { outcome, redial: redial::after_ending(rules, outcome, call, now) },
    }
}

/// The rule that decided an outcome, for the ledger.
pub(super) fn decided_by(taken_for: &Classification) -> String {
    taken_for.rule.as_ref().map_or_else(|| "no outcome rule matched".into(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Doubt, Outcome};

    #[test]
    fn a_doubt_keeps_an_entry_from_every_further_call_unless_the_opt_out_is_certain() {
        let rules = Redial {
            max_attempts: 3,
            min_gap: TimeDelta::hours(72),
            after: vec![Outcome::NoAnswer],
            vary_time: false,
            stop_before_appointment: None,
        };
        let now = DateTime::UNIX_EPOCH;
        let doubt = Some(Doubt::PossibleOptOut);
        let in_doubt = |outcome| Fact::EndedInDoubt { outcome, doubt: Doubt::PossibleOptOut };
        let gap_later = Some(now + TimeDelta::hours(72));
        for (outcome, doubt, fact) in [
            (Outcome::NoAnswer, None, Fact::Ended { outcome: Outcome::NoAnswer, redial: gap_later }),
            (Outcome::NoAnswer, doubt, in_doubt(Outcome::NoAnswer)),
            (Outcome::WrongNumber, doubt, in_doubt(Outcome::WrongNumber)),
            (Outcome::OptOut, doubt, Fact::Ended { outcome: Outcome::OptOut, redial: None }),
        ] {
            assert_eq!(ended(&Classification { outcome, doubt, ..Classification::UNCLASSIFIED }, &rules, 1, now), fact);
        }
    }
}
