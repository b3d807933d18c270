//! The conversations that a person has to read, with what was said.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::entry::{Doubt, State};
use crate::ids::{CampaignName, ConversationId, EntryId, Location};
use crate::ledger::PendingReview;
use crate::visible;
use crate::zone::Zone;

use super::said_words::SaidWords;

/// A conversation that a person has to read, as `review --json` has it. It holds what the patient said.
#[derive(Serialize)]
pub struct ReviewRow {
    entry: EntryId,
    campaign: CampaignName,
    /// The patient's key: one value for each key column of the campaign.
    patient: Vec<String>,
    name: String,
    phone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location>,
    state: State,
    doubt: Doubt,
    /// Since when the number is barred.
    since: DateTime<Utc>,
    decided_by: Option<String>,
    conversation: Option<ConversationId>,
    called_at: Option<DateTime<Utc>>,
    /// `None`: no longer kept.
    said: Option<SaidWords>,
}

impl From<PendingReview> for ReviewRow {
    fn from(review: PendingReview) -> Self {
        Self {
            entry: review.entry,
            campaign: review.campaign,
            patient: review.key.parts().map(ToOwned::to_owned).collect(),
            name: review.patient.full_name(),
            phone: review.phone.expose(),
            location: review.location,
            state: review.state,
            doubt: review.doubt,
            since: review.since,
            decided_by: review.decided_by,
            conversation: review.conversation,
            called_at: review.started_at,
            said: review.said.map(SaidWords::from),
        }
    }
}

impl ReviewRow {
    /// The conversation in lines for a person, with the commands that decide; instants are in `zone`, the practice's.
    #[must_use]
    pub fn render(&self, zone: &Zone) -> String {
        let at = |at: DateTime<Utc>| zone.date_and_time(at);
        let Self { entry, campaign, patient, name, phone, doubt, since, .. } = self;
        let called = self.called_at.map_or_else(String::new, |called| format!(", called {}", at(called)));
        let location = self.location.as_ref().map_or_else(String::new, |location| format!(", at {location}"));
        let mut text = format!(
            "#{entry}  {} ({}), {phone}{called}: {}\n",
            visible::value(name),
            visible::value(&patient.join(" ")),
            doubt.label(),
        );
        text += &format!("  campaign: {campaign}{location}; the number is not called since {}\n", at(*since));
        text += &self.said_lines();
        let why = self.decided_by.as_deref().map_or("not known", why_in_doubt);
        text += &format!("  why in doubt: {}\n", visible::value(why));
        text + &format!("  decide: callrounds review {entry} --opted-out | --deceased | --may-be-called\n")
    }

    fn said_lines(&self) -> String {
        match (&self.said, &self.conversation) {
            (Some(said), _) => said.lines(),
            (None, Some(conversation)) => {
                format!("  what was said is no longer kept; the vendor has it as conversation {conversation}\n")
            }
            (None, None) => "  what was said is no longer kept\n".into(),
        }
    }
}

/// What decided it, without the words that only say which rules there are.
fn why_in_doubt(decided_by: &str) -> &str {
    let rule = decided_by.strip_prefix("built-in: ").unwrap_or(decided_by);
    if rule.contains("(second opinion: ") { "no single phrase says so, but the words taken together do" } else { rule }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_conversation_is_in_doubt_is_said_in_plain_words() {
        for (decided_by, said) in [
            ("outcome rule 3", "outcome rule 3"),
            ("built-in: asked not to be called (summary, sentence 2)", "asked not to be called (summary, sentence 2)"),
            (
                "built-in: possible opt-out (second opinion: the words taken together)",
                "no single phrase says so, but the words taken together do",
            ),
        ] {
            assert_eq!(why_in_doubt(decided_by), said);
        }
    }
}
