//! What a call says: the templates' variables, and the two texts.

use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use minijinja::{Value, context};

use super::household::{Candidate, spoken_list};
use super::lint;
use super::rejection::{RejectReason, TextName};
use super::tally::Warning;
use crate::campaign::Campaign;
use crate::entry::Appointment;
use crate::template::{Columns, MAX_CHARS, Row, Template, chars};

/// More names than this are not tried: nobody wants to hear them.
const MOST_NAMES: usize = 8;

/// Renders the texts of a campaign.
#[derive(Debug, Clone)]
pub(super) struct Renderer<'a> {
    campaign: &'a Campaign,
    columns: Arc<Columns>,
    shared: Arc<[(&'static str, Value)]>,
    names_household: bool,
}

/// The texts of one call.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Texts {
    pub(super) context: Option<String>,
    pub(super) voicemail: Option<String>,
}

impl<'a> Renderer<'a> {
    /// Renders rows whose cells are said under the names of `columns`.
    pub(super) fn new(campaign: &'a Campaign, columns: Arc<Columns>) -> Self {
        let names_household = campaign.message.context.names().iter().any(|name| name.starts_with("household"));
        Self { campaign, columns, shared: campaign.template_objects().into(), names_household }
    }

    /// Renders the texts of a call, with as many names of the household as fit.
    pub(super) fn render(&self, call: &[Candidate]) -> Result<Texts, RejectReason> {
        let names = other_names(call);
        let row = self.row(call).with("household", names.clone());
        let mut most = names.len().min(MOST_NAMES);
        loop {
            let whole = row.clone().with("household_names", spoken_list(&names, most));
            match self.texts(&whole.into()) {
                Err(RejectReason::TooLong(_)) if most > 0 => most -= 1,
                done => return done,
            }
        }
    }

    /// Whether the context speaks of a household's other members at all.
    pub(super) fn names_household(&self) -> bool {
        self.names_household
    }

    fn row(&self, call: &[Candidate]) -> Row {
        let patient = &call[0].patient;
        let row = Row::new(Arc::clone(&self.columns), patient.said.clone(), Arc::clone(&self.shared));
        match &patient.appointment {
            Some(appointment) => row.with("appointment", appointment_value(appointment)),
            None => row,
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
    let rendered = template.render(variables).map_err(|problem| RejectReason::Message {
        text: name,
        line: problem.line,
        problem: problem.cause.to_string(),
    })?;
    let trimmed = rendered.trim();
    match chars(trimmed) {
        0 => Ok(None),
        count if count > MAX_CHARS => Err(RejectReason::TooLong(name)),
        _ => Ok(Some(trimmed.to_owned())),
    }
}

/// Times as ISO 8601 with the practice's offset; empty where the list has none.
fn appointment_value(appointment: &Appointment) -> Value {
    let time = |time: Option<DateTime<FixedOffset>>| {
        time.map(|time| time.format("%Y-%m-%dT%H:%M:%S%:z").to_string()).unwrap_or_default()
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    context! {
        id => text(&appointment.id),
        start => time(appointment.start),
        end => time(appointment.end),
        description => text(&appointment.description),
    }
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
