//! What a call says: the templates' variables, and the two texts.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use minijinja::{Value, context};

use super::household::{Candidate, spoken_list};
use super::lint::Lint;
use super::rejection::{RejectReason, TextName};
use super::remembered::{Remembered, Rendered};
use super::tally::Warning;
use crate::campaign::{Campaign, Practice};
use crate::entry::Appointment;
use crate::ids::Location;
use crate::template::{Cells, Columns, MAX_CHARS, Row, Template, chars};

/// More names than this are not tried: nobody wants to hear them.
const MOST_NAMES: usize = 8;

/// Renders the texts of a campaign, each in the name of the practice that calls.
#[derive(Debug)]
pub(super) struct Renderers<'a> {
    campaign: &'a Campaign,
    columns: Arc<Columns>,
    names_household: bool,
    by_location: HashMap<Option<Location>, Renderer<'a>>,
}

impl<'a> Renderers<'a> {
    /// Renders rows whose cells are said under the names of `columns`.
    pub(super) fn new(campaign: &'a Campaign, columns: Arc<Columns>) -> Self {
        let names_household = campaign.message.context.names().iter().any(|name| name.starts_with("household"));
        Self { campaign, columns, names_household, by_location: HashMap::new() }
    }

    /// Renders the texts of a call, with as many names of the household as fit.
    pub(super) fn render(&mut self, call: &[Candidate]) -> Result<Texts, RejectReason> {
        let location = &call[0].patient.location;
        if let Some(renderer) = self.by_location.get_mut(location) {
            return renderer.render(call);
        }
        let practice = self.campaign.practice_at(location.as_ref()).ok_or(RejectReason::Location)?;
        let renderer = Renderer::new(self.campaign, practice, Arc::clone(&self.columns));
        self.by_location.entry(location.clone()).or_insert(renderer).render(call)
    }

    /// Whether the context speaks of a household's other members at all.
    pub(super) fn names_household(&self) -> bool {
        self.names_household
    }
}

/// Renders the texts of one practice.
#[derive(Debug, Clone)]
struct Renderer<'a> {
    campaign: &'a Campaign,
    columns: Arc<Columns>,
    shared: Arc<[(&'static str, Value)]>,
    lint: Lint,
    contexts: Remembered,
    voicemails: Option<Remembered>,
}

/// The texts of one call.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Texts {
    pub(super) context: Option<String>,
    pub(super) voicemail: Option<String>,
    /// What somebody should look at in them, each once.
    pub(super) warnings: Vec<Warning>,
}

impl<'a> Renderer<'a> {
    /// Renders the rows of one of the campaign's practices, whose cells are said under the names of `columns`.
    fn new(campaign: &'a Campaign, practice: &Practice, columns: Arc<Columns>) -> Self {
        let message = &campaign.message;
        let objects = campaign.template_objects(practice);
        let names: Vec<&str> = objects.iter().map(|(name, _)| *name).collect();
        let practices = campaign.lines.iter().count().max(1);
        let remembered = |template| Remembered::of(template, &columns, &names, practices);
        // A call to one patient covers nobody else, and most are to one.
        let nobody = [("household", Value::from(Vec::<Value>::new())), ("household_names", Value::from(""))];
        Self {
            lint: Lint::of(practice),
            contexts: remembered(&message.context),
            voicemails: message.voicemail.as_ref().map(remembered),
            campaign,
            shared: objects.into_iter().chain(nobody).collect(),
            columns,
        }
    }

    fn render(&mut self, call: &[Candidate]) -> Result<Texts, RejectReason> {
        if call.len() == 1 {
            return self.texts(&call[0].patient.said, &self.row(call).into());
        }
        let names = other_names(call);
        let row = self.row(call).with("household", names.clone());
        let mut most = names.len().min(MOST_NAMES);
        loop {
            let whole = row.clone().with("household_names", spoken_list(&names, most));
            match self.texts(&call[0].patient.said, &whole.into()) {
                Err(RejectReason::TooLong(_)) if most > 0 => most -= 1,
                done => return done,
            }
        }
    }

    fn row(&self, call: &[Candidate]) -> Row {
        let patient = &call[0].patient;
        let row = Row::new(Arc::clone(&self.columns), Arc::clone(&patient.said), Arc::clone(&self.shared));
        match &patient.appointment {
            Some(appointment) => row.with("appointment", appointment_value(appointment)),
            None => row,
        }
    }

    fn texts(&mut self, cells: &Cells, variables: &Value) -> Result<Texts, RejectReason> {
        let Self { campaign, lint, contexts, voicemails, .. } = self;
        let message = &campaign.message;
        let (context, mut warnings) =
            contexts.text(cells, || text(&message.context, variables, TextName::Context, lint))?;
        let mut voicemail = None;
        if let (Some(template), Some(remembered)) = (&message.voicemail, voicemails) {
            let (said, more) = remembered.text(cells, || text(template, variables, TextName::Voicemail, lint))?;
            (voicemail, warnings) = (said, [warnings, more].concat());
        }
        warnings.sort_unstable();
        warnings.dedup();
        Ok(Texts { context, voicemail, warnings })
    }
}

/// A text that may be sent, nothing if it is empty, and what to look at in it.
fn text(template: &Template, variables: &Value, name: TextName, lint: &Lint) -> Rendered {
    // It comes tidy: without space around it.
    let rendered = template.render(variables).map_err(|problem| RejectReason::Message {
        text: name,
        line: problem.line,
        problem: problem.cause.to_string(),
    })?;
    match chars(&rendered) {
        0 => Ok((None, Vec::new())),
        count if count > MAX_CHARS => Err(RejectReason::TooLong(name)),
        _ => {
            let warnings = lint.warnings(&rendered, name).collect();
            Ok((Some(rendered), warnings))
        }
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
