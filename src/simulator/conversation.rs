//! A conversation through time: open until the call ends, closing for a little, then closed and telling its story.

use chrono::{DateTime, TimeDelta, Utc};

use serde::{Deserialize, Serialize};

use crate::ids::ConversationId;
use crate::phone::E164;

use super::people::Behaviour;
use super::settings::Field;
use super::story::{CUT_SHORT, Story, story};

/// `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The call is under way.
    Open,
    /// It has ended, and its story is being written.
    Closing,
    /// Nothing more will change.
    Closed,
}

impl Status {
    /// The contract's word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Closing => "CLOSING",
            Self::Closed => "CLOSED",
        }
    }
}

/// `medium`: what a conversation is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Medium {
    /// A phone call.
    #[default]
    Voice,
    /// Text messages.
    Sms,
    /// A chat.
    Chat,
    /// Messages of a service that the contract does not name.
    Whatsapp,
    /// Mail.
    Email,
    /// Something of which the vendor does not say what it is.
    Untold,
}

impl Medium {
    /// Whether it is a phone call.
    #[must_use]
    pub fn is_voice(&self) -> bool {
        *self == Self::Voice
    }
}

/// A conversation, whose whole course is decided when it starts.
#[derive(Debug, Clone)]
pub(super) struct Conversation {
    pub(super) id: ConversationId,
    pub(super) medium: Medium,
    pub(super) from: E164,
    pub(super) to: E164,
    pub(super) started: DateTime<Utc>,
    pub(super) seconds: u32,
    pub(super) behaviour: Behaviour,
    /// When somebody asked for an early end.
    pub(super) cut: Option<DateTime<Utc>>,
}

/// What of a conversation can be seen at some instant.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The vendor's id.
    pub id: ConversationId,
    /// What it is made of.
    pub medium: Medium,
    /// Who called.
    pub from: E164,
    /// Who was called.
    pub to: E164,
    /// When it started.
    pub started: DateTime<Utc>,
    /// When it ended; not while it is open.
    pub ended: Option<DateTime<Utc>>,
    /// Where it stands.
    pub status: Status,
    /// How long it took; not while it is open.
    pub duration: Option<TimeDelta>,
    /// What it tells; only once it is closed.
    pub story: Option<Story>,
    /// What its row lacks.
    pub lacks: Option<Field>,
}

/// One message of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who speaks: `assistant` or `user`.
    pub role: &'static str,
    /// What is said.
    pub content: &'static str,
    /// When.
    pub at: DateTime<Utc>,
}

impl Conversation {
    fn end(&self) -> DateTime<Utc> {
        let scripted = self.started + TimeDelta::seconds(i64::from(self.seconds));
        self.cut.map_or(scripted, |cut| scripted.min(cut))
    }

    fn story(&self) -> Story {
        if self.cut.is_some() { CUT_SHORT } else { story(self.behaviour) }
    }

    /// The conversation as it is at `now`, where one that has ended is `closing` for so long.
    pub(super) fn view(&self, now: DateTime<Utc>, closing: TimeDelta) -> View {
        let end = self.end();
        let status = match now {
            _ if now < end => Status::Open,
            _ if now < end + closing => Status::Closing,
            _ => Status::Closed,
        };
        let ended = (status != Status::Open).then_some(end);
        View {
            id: self.id.clone(),
            medium: self.medium,
            from: self.from,
            to: self.to,
            started: self.started,
            ended,
            status,
            duration: ended.map(|end| end - self.started),
            story: (status == Status::Closed).then(|| self.story()),
            lacks: None,
        }
    }

    /// Ends the call, if it is still under way.
    pub(super) fn cut(&mut self, now: DateTime<Utc>) {
        if now < self.end() {
            self.cut = Some(now.max(self.started));
        }
    }

    /// What has been said by `now`.
    pub(super) fn messages(&self, now: DateTime<Utc>) -> Vec<Message> {
        let until = now.min(self.end());
        self.script().into_iter().filter(|message| message.at <= until).collect()
    }

    fn script(&self) -> Vec<Message> {
        let at = |seconds| self.started + TimeDelta::seconds(seconds);
        let greeting = "Hello, this is Annie, calling from your dental practice.";
        let greets = self.behaviour.is_contact() || story(self.behaviour).said.is_some();
        let annie = greets.then_some(Message { role: "assistant", content: greeting, at: at(4) });
        let callee = story(self.behaviour).said.map(|said| Message { role: "user", content: said, at: at(11) });
        annie.into_iter().chain(callee).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn conversation() -> Conversation {
        Conversation {
            id: ConversationId::new("c-1"),
            medium: Medium::Voice,
            from: E164::parse("+13125550142").expect("a good number"),
            to: E164::parse("+13125550101").expect("a good number"),
            started: at(0),
            seconds: 60,
            behaviour: Behaviour::Books,
            cut: None,
        }
    }

    #[test]
    fn a_conversation_tells_more_the_further_it_is() {
        let cases = [
            (0, Status::Open, false, false),
            (59, Status::Open, false, false),
            (60, Status::Closing, true, false),
            (79, Status::Closing, true, false),
            (80, Status::Closed, true, true),
        ];
        for (seconds, status, has_end, has_story) in cases {
            let view = conversation().view(at(seconds), TimeDelta::seconds(20));
            assert_eq!(view.status, status, "{seconds}");
            assert_eq!(view.ended.is_some() && view.duration.is_some(), has_end, "{seconds}");
            assert_eq!(view.story.is_some(), has_story, "{seconds}");
        }
    }

    #[test]
    fn a_call_cut_short_tells_no_outcome() {
        let mut conversation = conversation();
        conversation.cut(at(30));
        let view = conversation.view(at(50), TimeDelta::seconds(20));
        assert_eq!(view.duration, Some(TimeDelta::seconds(30)));
        assert_eq!(view.story, Some(CUT_SHORT));
    }

    #[test]
    fn a_call_that_has_ended_is_not_cut() {
        let mut conversation = conversation();
        conversation.cut(at(61));
        assert_eq!(conversation.cut, None);
    }

    #[test]
    fn a_transcript_grows_with_the_call() {
        let said = |seconds| conversation().messages(at(seconds)).len();
        assert_eq!([said(0), said(4), said(11), said(900)], [0, 1, 2, 2]);
    }
}
