//! A conversation through time: open until the call ends, closing for a while, then closed with its tags, topic and
//! summary.

use chrono::{DateTime, TimeDelta, Utc};

use crate::ids::ConversationId;
use crate::phone::E164;

use super::call_transcript::{CLOSED_EARLY, CallTranscript, transcript};
use super::medium::SimulatedMedium;
use super::people::Behaviour;
use super::settings::RowField;

/// The `status` of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimulatedStatus {
    /// The call is in progress.
    Open,
    /// The call has ended; its tags, topic and summary are not written yet.
    Closing,
    /// Nothing more will change.
    Closed,
}

impl SimulatedStatus {
    /// The contract's word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Closing => "CLOSING",
            Self::Closed => "CLOSED",
        }
    }
}

/// A conversation. Its whole course is decided when it starts.
#[derive(Debug, Clone)]
pub(super) struct SimulatedConversation {
    pub(super) id: ConversationId,
    pub(super) medium: SimulatedMedium,
    pub(super) from: E164,
    pub(super) to: E164,
    pub(super) started: DateTime<Utc>,
    pub(super) seconds: u32,
    pub(super) behaviour: Behaviour,
    /// When a client closed the conversation, if that was before its scripted end.
    pub(super) closed_early_at: Option<DateTime<Utc>>,
}

/// What the API shows of a conversation at some instant.
#[derive(Debug, Clone, PartialEq)]
pub struct ConversationView {
    /// The vendor's id.
    pub id: ConversationId,
    /// Its medium.
    pub medium: SimulatedMedium,
    /// The calling number.
    pub from: E164,
    /// The called number.
    pub to: E164,
    /// When it started.
    pub started: DateTime<Utc>,
    /// When it ended; `None` while it is open.
    pub ended: Option<DateTime<Utc>>,
    /// Its status at that instant.
    pub status: SimulatedStatus,
    /// The call's duration; `None` while it is open.
    pub duration: Option<TimeDelta>,
    /// How the call went; `None` until it is closed.
    pub transcript: Option<CallTranscript>,
    /// How the call was taken; `None` until it is closed, and if it was closed early.
    pub behaviour: Option<Behaviour>,
    /// The field that its row lacks.
    pub missing_field: Option<RowField>,
}

/// One message of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptMessage {
    /// The speaker: `assistant` or `user`.
    pub role: &'static str,
    /// The message's text.
    pub content: &'static str,
    /// When it was said.
    pub at: DateTime<Utc>,
}

impl SimulatedConversation {
    fn end(&self) -> DateTime<Utc> {
        let scripted = self.started + TimeDelta::seconds(i64::from(self.seconds));
        self.closed_early_at.map_or(scripted, |closed| scripted.min(closed))
    }

    fn transcript(&self) -> CallTranscript {
        if self.closed_early_at.is_some() { CLOSED_EARLY } else { transcript(self.behaviour) }
    }

    /// The conversation at `now`. After its end it has the status `CLOSING` for the time `closing`.
    pub(super) fn view(&self, now: DateTime<Utc>, closing: TimeDelta) -> ConversationView {
        let end = self.end();
        let status = match now {
            _ if now < end => SimulatedStatus::Open,
            _ if now < end + closing => SimulatedStatus::Closing,
            _ => SimulatedStatus::Closed,
        };
        let ended = (status != SimulatedStatus::Open).then_some(end);
        ConversationView {
            id: self.id.clone(),
            medium: self.medium,
            from: self.from,
            to: self.to,
            started: self.started,
            ended,
            status,
            duration: ended.map(|end| end - self.started),
            transcript: (status == SimulatedStatus::Closed).then(|| self.transcript()),
            behaviour: (status == SimulatedStatus::Closed && self.closed_early_at.is_none()).then_some(self.behaviour),
            missing_field: None,
        }
    }

    /// Ends the call if it is still in progress.
    pub(super) fn close_early(&mut self, now: DateTime<Utc>) {
        if now < self.end() {
            self.closed_early_at = Some(now.max(self.started));
        }
    }

    /// The messages until `now`.
    pub(super) fn messages(&self, now: DateTime<Utc>) -> Vec<TranscriptMessage> {
        let until = now.min(self.end());
        self.script().into_iter().filter(|message| message.at <= until).collect()
    }

    fn script(&self) -> Vec<TranscriptMessage> {
        let at = |seconds| self.started + TimeDelta::seconds(seconds);
        let greeting = "Hello, this is Annie, calling from your dental practice.";
        let greets = self.behaviour.is_contact() || transcript(self.behaviour).callee_says.is_some();
        let annie = greets.then_some(TranscriptMessage { role: "assistant", content: greeting, at: at(4) });
        let callee = transcript(self.behaviour).callee_says.map(|content| TranscriptMessage {
            role: "user",
            content,
            at: at(11),
        });
        let content = "Thank you. I will pass that on to the office. Goodbye.";
        let farewell = callee.as_ref().map(|_| TranscriptMessage { role: "assistant", content, at: at(16) });
        annie.into_iter().chain(callee).chain(farewell).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn conversation() -> SimulatedConversation {
        SimulatedConversation {
            id: ConversationId::new("c-1"),
            medium: SimulatedMedium::Voice,
            from: E164::parse("+13125550142").expect("a good number"),
            to: E164::parse("+13125550101").expect("a good number"),
            started: at(0),
            seconds: 60,
            behaviour: Behaviour::Books,
            closed_early_at: None,
        }
    }

    #[test]
    fn a_conversation_shows_more_as_it_proceeds() {
        let cases = [
            (0, SimulatedStatus::Open, false, false),
            (59, SimulatedStatus::Open, false, false),
            (60, SimulatedStatus::Closing, true, false),
            (79, SimulatedStatus::Closing, true, false),
            (80, SimulatedStatus::Closed, true, true),
        ];
        for (seconds, status, has_end, has_transcript) in cases {
            let view = conversation().view(at(seconds), TimeDelta::seconds(20));
            assert_eq!(view.status, status, "{seconds}");
            assert_eq!(view.ended.is_some() && view.duration.is_some(), has_end, "{seconds}");
            assert_eq!(view.transcript.is_some(), has_transcript, "{seconds}");
        }
    }

    #[test]
    fn a_call_closed_early_has_no_outcome() {
        let mut conversation = conversation();
        conversation.close_early(at(30));
        let view = conversation.view(at(50), TimeDelta::seconds(20));
        assert_eq!(view.duration, Some(TimeDelta::seconds(30)));
        assert_eq!(view.transcript, Some(CLOSED_EARLY));
    }

    #[test]
    fn a_call_that_has_ended_is_not_closed_early() {
        let mut conversation = conversation();
        conversation.close_early(at(61));
        assert_eq!(conversation.closed_early_at, None);
    }

    #[test]
    fn a_transcript_grows_with_the_call() {
        let messages = |seconds| conversation().messages(at(seconds)).len();
        assert_eq!([messages(0), messages(4), messages(11), messages(900)], [0, 1, 2, 3]);
    }
}
