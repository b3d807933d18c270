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
        let name = [Some(review.patient.first_name), review.patient.last_name];
        Self {
            entry: review.entry,
            campaign: review.campaign,
            patient: review.key.parts().map(ToOwned::to_owned).collect(),
            name: name.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "),
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
        let at = |at: DateTime<Utc>| zone.local(at).format("%a %Y-%m-%d %H:%M").to_string();
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
        let decided_by = self.decided_by.as_deref().unwrap_or("not known");
        text += &format!("  why in doubt: {}\n", visible::value(decided_by));
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
