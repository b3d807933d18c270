//! Whether a conversation that an operator names can be the call of an attempt whose answer was lost: by its numbers,
//! its start and its medium, as the vendor shows them.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::call_media::CallMedia;
use super::vendor_clock::CLOCK_SLACK;
use crate::phone::E164;
use crate::vendor::{Channel, Conversation};

/// What the ledger knows of a call whose answer was lost.
#[derive(Debug, Clone, Copy)]
pub struct LostCall {
    /// Our caller id.
    pub from: E164,
    /// The number dialled.
    pub to: E164,
    /// When its intent was committed.
    pub intent_at: DateTime<Utc>,
    /// The last instant at which its request could have been accepted.
    pub accepted_until: DateTime<Utc>,
}

/// Why a conversation is not the lost call, or cannot be told to be it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// It is a text or a chat.
    NotACall,
    /// It is from another number than our caller id.
    OtherCallerId,
    /// It is to another number than the one dialled.
    OtherNumber,
    /// It started this long before the intent.
    TooEarly(TimeDelta),
    /// It started this long after the request could have been accepted.
    TooLate(TimeDelta),
    /// The vendor does not show this of it.
    Missing(&'static str),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotACall => f.write_str("it is a text conversation, not a call"),
            Self::OtherCallerId => f.write_str("it is not from the caller id of that call"),
            Self::OtherNumber => f.write_str("it is to another number than the one dialled"),
            Self::TooEarly(by) => write!(f, "it started {} before that call was requested", span(*by)),
            Self::TooLate(by) => write!(f, "it started {} after that call can have been placed", span(*by)),
            Self::Missing(what) => write!(f, "the vendor does not show {what}, so it may be another call"),
        }
    }
}

fn span(span: TimeDelta) -> String {
    match span {
        span if span < TimeDelta::hours(2) => format!("{} min", span.num_minutes()),
        span if span < TimeDelta::hours(48) => format!("{} h", span.num_hours()),
        span => format!("{} days", span.num_days()),
    }
}

impl LostCall {
    /// Why `conversation` is not this call; `None` if it fits. `settle` is S of rule R: a call is on the vendor's list
    /// at the latest that long after its request was accepted.
    #[must_use]
    pub fn mismatch(&self, conversation: &Conversation, media: &CallMedia, settle: TimeDelta) -> Option<Mismatch> {
        match media.channel_of(conversation) {
            Channel::Text => return Some(Mismatch::NotACall),
            Channel::Voice | Channel::Unknown => {}
        }
        match (conversation.from, conversation.to, conversation.started) {
            (Some(from), _, _) if from != self.from => Some(Mismatch::OtherCallerId),
            (_, Some(to), _) if to != self.to => Some(Mismatch::OtherNumber),
            (None, _, _) => Some(Mismatch::Missing("its caller id")),
            (_, None, _) => Some(Mismatch::Missing("the number that it called")),
            (_, _, None) => Some(Mismatch::Missing("when it started")),
            (Some(_), Some(_), Some(started)) => self.mistimed(started, settle),
        }
    }

    fn mistimed(&self, started: DateTime<Utc>, settle: TimeDelta) -> Option<Mismatch> {
        let (early, late) = (self.intent_at - started, started - self.accepted_until);
        if early > CLOCK_SLACK {
            return Some(Mismatch::TooEarly(early));
        }
        (late > settle + CLOCK_SLACK).then_some(Mismatch::TooLate(late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::OutcomeSignals;
    use crate::ids::ConversationId;
    use crate::vendor::{Medium, Status};

    fn number(last: u32) -> E164 {
        E164::parse(&format!("+1312555{last:04}")).expect("a good number")
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn a_conversation_is_the_lost_call_only_if_numbers_medium_and_time_fit() {
        let lost = LostCall { from: number(142), to: number(101), intent_at: at(1000), accepted_until: at(1030) };
        let call = Conversation {
            id: ConversationId::new("c-1"),
            medium: Medium::read(None),
            from: Some(lost.from),
            to: Some(lost.to),
            started: Some(at(1002)),
            ended: None,
            status: Status::Closed,
            signals: OutcomeSignals::default(),
        };
        let started = |seconds| Conversation { started: Some(at(seconds)), ..call.clone() };
        let sms = Conversation { medium: Medium::read(Some("SMS")), ..call.clone() };
        for (conversation, expected) in [
            (call.clone(), None),
            (started(880), None),
            (started(1450), None),
            (started(879), Some(Mismatch::TooEarly(TimeDelta::seconds(121)))),
            (started(1451), Some(Mismatch::TooLate(TimeDelta::seconds(421)))),
            (sms, Some(Mismatch::NotACall)),
            (Conversation { from: Some(number(143)), ..call.clone() }, Some(Mismatch::OtherCallerId)),
            (Conversation { to: Some(number(102)), ..call.clone() }, Some(Mismatch::OtherNumber)),
            (Conversation { from: None, ..call.clone() }, Some(Mismatch::Missing("its caller id"))),
            (Conversation { to: None, ..call.clone() }, Some(Mismatch::Missing("the number that it called"))),
            (Conversation { started: None, ..call.clone() }, Some(Mismatch::Missing("when it started"))),
            (Conversation { from: None, to: Some(number(102)), ..call.clone() }, Some(Mismatch::OtherNumber)),
        ] {
            let found = lost.mismatch(&conversation, &CallMedia::default(), TimeDelta::seconds(300));
            assert_eq!(found, expected, "{conversation:?}");
        }
    }
}
