//! What a call says: the templates' variables, and the two texts.

use std::collections::BTreeMap;

use minijinja::Value;

use super::household::{Candidate, spoken_list};
use super::lint;
use super::rejection::{RejectReason, TextName};
use super::tally::Warning;
use crate::campaign::{Campaign, Practice, Purpose};
use crate::entry::Appointment;
use crate::template::{MAX_CHARS, Template, chars};

/// More names than this are not tried: nobody wants to hear them.
const MOST_NAMES: usize = 8;

/// Renders the texts of a campaign.
#[derive(Debug, Clone)]
pub(super) struct Renderer<'a> {
    campaign: &'a Campaign,
    practice: Value,
    about: Value,
}

/// The texts of one call.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Texts {
    pub(super) context: Option<String>,
    pub(super) voicemail: Option<String>,
}

impl<'a> Renderer<'a> {
    pub(super) fn new(campaign: &'a Campaign) -> Self {
        let purpose = match campaign.purpose {
            Purpose::Recall => "recall",
            Purpose::Reminder => "reminder",
            Purpose::FollowUp => "follow_up",
        };
        let about = [("name", campaign.name.as_str()), ("purpose", purpose)];
        Self { campaign, practice: practice_value(&campaign.practice), about: Value::from_pairs(about) }
    }

    /// Renders the texts of a call, with as many names of the household as fit.
    pub(super) fn render(&self, call: &[Candidate]) -> Result<Texts, RejectReason> {
        let mut variables = self.variables(call);
        let names = other_names(call);
        variables.insert("household".to_owned(), Value::from(names.clone()));
        let mut most = names.len().min(MOST_NAMES);
        loop {
            variables.insert("household_names".to_owned(), spoken_list(&names, most).into());
            let texts =
                self.texts(&Value::from_pairs(variables.iter().map(|(name, value)| (name.as_str(), value.clone()))));
            match texts {
                Err(RejectReason::TooLong(_)) if most > 0 => most -= 1,
                done => return done,
            }
        }
    }

    fn texts(&self, variables: &Value) -> Result<Texts, RejectReason> {
        let message = &self.campaign.message;
        Ok(Texts {
            context: text(&message.context, variables, TextName::Context)?,
            voicemail: match &message.voicemail {
                Some(template) => text(template, variables, TextName::Voicemail)?,
                None => None,
            },
        })
    }

    /// The row's own columns, and above them what every campaign has under the same names.
    fn variables(&self, call: &[Candidate]) -> BTreeMap<String, Value> {
        let patient = &call[0].patient;
        let mut variables: BTreeMap<String, Value> = patient.variables.iter().cloned().collect();
        variables.insert("preferred_name".to_owned(), patient.spoken.as_str().into());
        variables.insert("practice".to_owned(), self.practice.clone());
        variables.insert("campaign".to_owned(), self.about.clone());
        match &patient.appointment {
            Some(appointment) => variables.insert("appointment".to_owned(), appointment_value(appointment)),
            None => variables.remove("appointment"),
        };
        variables
    }

    /// What somebody should look at in these texts.
    pub(super) fn lint(&self, texts: &Texts) -> Vec<Warning> {
        let context = texts.context.iter().flat_map(|text| lint::sensitive_words(text, TextName::Context));
        let voicemail = texts.voicemail.iter().flat_map(|text| {
            lint::sensitive_words(text, TextName::Voicemail).chain(lint::voicemail_lacks(text, &self.campaign.practice))
        });
        let mut warnings: Vec<Warning> = context.chain(voicemail).collect();
        warnings.sort_unstable();
        warnings.dedup();
        warnings
    }
}

/// A text that may be sent; nothing if it is empty.
fn text(template: &Template, variables: &Value, name: TextName) -> Result<Option<String>, RejectReason> {
    let rendered = template
        .render(variables)
        .map_err(|problem| RejectReason::Message { text: name, problem: problem.to_string() })?;
    let trimmed = rendered.trim();
    match chars(trimmed) {
        0 => Ok(None),
        count if count > MAX_CHARS => Err(RejectReason::TooLong(name)),
        _ => Ok(Some(trimmed.to_owned())),
    }
}

fn practice_value(practice: &Practice) -> Value {
    let callback = practice.callback_number.expose();
    let members =
        [("name", practice.name.as_str()), ("callback_number", callback.as_str()), ("timezone", practice.zone.name())];
    Value::from_pairs(members)
}

/// Times as ISO 8601 with the practice's offset; empty where the list has none.
fn appointment_value(appointment: &Appointment) -> Value {
    let time = |time: Option<chrono::DateTime<chrono::FixedOffset>>| {
        time.map(|time| time.format("%Y-%m-%dT%H:%M:%S%:z").to_string()).unwrap_or_default()
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Value::from_pairs([
        ("id", text(&appointment.id)),
        ("start", time(appointment.start)),
        ("end", time(appointment.end)),
        ("description", text(&appointment.description)),
    ])
}

/// The names of everybody but the one spoken to; one who is on several rows is named once.
fn other_names(call: &[Candidate]) -> Vec<String> {
    let mut seen = vec![&call[0].patient.info];
    let mut names = Vec::new();
    for other in call.iter().skip(1).map(|candidate| &candidate.patient) {
        let is_new = seen.iter().all(|one| one.patient_id.is_none() || one.patient_id != other.info.patient_id);
        if is_new {
            seen.push(&other.info);
            names.push(other.spoken.clone());
        }
    }
    names
}
