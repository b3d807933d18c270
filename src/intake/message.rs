//! The texts of a call: builds the template variables and renders the context and the voicemail.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use minijinja::{Value, context};

use super::household::{HouseholdCandidate, spoken_list};
use super::lint::TextLint;
use super::patient::Patient;
use super::rejection::{MessageKind, RejectReason};
use super::render_cache::{RenderCache, RenderedText};
use super::summary::IntakeWarning;
use crate::campaign::{Campaign, Practice, Purpose};
use crate::entry::Appointment;
use crate::ids::Location;
use crate::template::{RenderCause, Template, TemplateCells, TemplateColumns, TemplateRow, chars};

/// The maximum number of household names in a text.
const MAX_NAMES: usize = 8;

/// Renders the texts of a campaign, with one renderer for each location.
#[derive(Debug)]
pub(super) struct Renderers<'a> {
    campaign: &'a Campaign,
    columns: Arc<TemplateColumns>,
    names_others: bool,
    by_location: HashMap<Option<Location>, Renderer<'a>>,
}

impl<'a> Renderers<'a> {
    /// `columns` names the template cells of patients.
    pub(super) fn new(campaign: &'a Campaign, columns: Arc<TemplateColumns>) -> Self {
        let names_others = names_household(campaign) || campaign.purpose == Purpose::Reminder;
        Self { campaign, columns, names_others, by_location: HashMap::new() }
    }

    /// Renders the texts of a call, with as many names of the household as fit; in a reminder, with all or not at all.
    pub(super) fn render(&mut self, call: &[HouseholdCandidate]) -> Result<CallTexts, RejectReason> {
        let location = &call[0].patient.location;
        if let Some(renderer) = self.by_location.get_mut(location) {
            return renderer.render(call);
        }
        let practice = self.campaign.practice_at(location.as_ref()).ok_or(RejectReason::Location)?;
        let renderer = Renderer::new(self.campaign, practice, Arc::clone(&self.columns));
        self.by_location.entry(location.clone()).or_insert(renderer).render(call)
    }

    /// Whether the context names the others of a household.
    pub(super) fn names_others(&self) -> bool {
        self.names_others
    }
}

/// Whether the context template uses a household variable.
fn names_household(campaign: &Campaign) -> bool {
    campaign.message.context.names().iter().any(|name| name.starts_with("household"))
}

/// Renders the texts of one practice or location.
#[derive(Debug, Clone)]
struct Renderer<'a> {
    campaign: &'a Campaign,
    columns: Arc<TemplateColumns>,
    shared: Arc<[(&'static str, Value)]>,
    lint: TextLint,
    context_cache: RenderCache,
    voicemail_cache: Option<RenderCache>,
}

/// The texts of one call.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct CallTexts {
    pub(super) context: Option<String>,
    pub(super) voicemail: Option<String>,
    /// The warnings about the texts, each once.
    pub(super) warnings: Vec<IntakeWarning>,
}

impl<'a> Renderer<'a> {
    fn new(campaign: &'a Campaign, practice: &Practice, columns: Arc<TemplateColumns>) -> Self {
        let message = &campaign.message;
        let objects = campaign.template_objects(practice);
        let names: Vec<&str> = objects.iter().map(|(name, _)| *name).collect();
        let practices = campaign.locations.iter().count().max(1);
        let cache = |template| RenderCache::new(template, &columns, &names, practices);
        // The values for a call to one patient, the usual case.
        let no_members = [("household", Value::from(Vec::<Value>::new())), ("household_names", Value::from(""))];
        Self {
            lint: TextLint::new(practice),
            context_cache: cache(&message.context),
            voicemail_cache: message.voicemail.as_ref().map(cache),
            campaign,
            shared: objects.into_iter().chain(no_members).collect(),
            columns,
        }
    }

    fn render(&mut self, call: &[HouseholdCandidate]) -> Result<CallTexts, RejectReason> {
        if call.len() == 1 {
            return self.texts(&call[0].patient.template_cells, &self.row(call).into());
        }
        if self.campaign.purpose == Purpose::Reminder {
            return self.reminder(call);
        }
        let names = other_names(call);
        let row = self.row(call).with("household", names.clone());
        let mut shown = names.len().min(MAX_NAMES);
        loop {
            let row = row.clone().with("household_names", spoken_list(&names, shown));
            match self.texts(&call[0].patient.template_cells, &row.into()) {
                Err(RejectReason::TooLong { .. }) if shown > 0 => shown -= 1,
                result => return result,
            }
        }
    }

    /// Renders the texts of a reminder of several appointments, which names each of them with its time. A context that does
    /// not name the others gets a sentence that does.
    fn reminder(&mut self, call: &[HouseholdCandidate]) -> Result<CallTexts, RejectReason> {
        let others: Vec<String> = call.iter().skip(1).map(|candidate| appointment_phrase(&candidate.patient)).collect();
        let all = spoken_list(&others, others.len());
        let row = self.row(call).with("household", others).with("household_names", all.clone());
        let mut texts = self.texts(&call[0].patient.template_cells, &row.into())?;
        if !names_household(self.campaign) {
            let context = texts.context.unwrap_or_default();
            let context = format!("{}{}Also expected: {all}.", context, if context.is_empty() { "" } else { " " });
            let limit = self.campaign.vendor.kind.limits().message_chars;
            if chars(&context) > limit {
                return Err(RejectReason::TooLong { text: MessageKind::Context, limit });
            }
            texts.context = Some(context);
        }
        Ok(texts)
    }

    fn row(&self, call: &[HouseholdCandidate]) -> TemplateRow {
        let patient = &call[0].patient;
        let cells = Arc::clone(&patient.template_cells);
        let row = TemplateRow::new(Arc::clone(&self.columns), cells, Arc::clone(&self.shared));
        match &patient.appointment {
            Some(appointment) => row.with("appointment", appointment_value(appointment)),
            None => row,
        }
    }

    fn texts(&mut self, cells: &TemplateCells, variables: &Value) -> Result<CallTexts, RejectReason> {
        let Self { campaign, lint, context_cache, voicemail_cache, .. } = self;
        let message = &campaign.message;
        let max_chars = campaign.vendor.kind.limits().message_chars;
        let render = |template, kind| render_text(template, variables, kind, lint, max_chars);
        let (context, mut warnings) = context_cache.text(cells, || render(&message.context, MessageKind::Context))?;
        let mut voicemail = None;
        if let (Some(template), Some(cache)) = (&message.voicemail, voicemail_cache) {
            let (text, more) = cache.text(cells, || render(template, MessageKind::Voicemail))?;
            (voicemail, warnings) = (text, [warnings, more].concat());
        }
        warnings.sort_unstable();
        warnings.dedup();
        Ok(CallTexts { context, voicemail, warnings })
    }
}

/// Renders and checks a text; `None` if it is empty.
fn render_text(
    template: &Template,
    variables: &Value,
    kind: MessageKind,
    lint: &TextLint,
    max_chars: usize,
) -> RenderedText {
    let rendered = template.render(variables).map_err(|error| match error.cause {
        RenderCause::Undefined { variable } => RejectReason::NoVariable { text: kind, line: error.line, variable },
        cause @ (RenderCause::Filter { .. } | RenderCause::NotText | RenderCause::TooLong | RenderCause::Other(_)) => {
            RejectReason::Message { text: kind, line: error.line, problem: cause.to_string() }
        }
    })?;
    match chars(&rendered) {
        0 => Ok((None, Vec::new())),
        count if count > max_chars => Err(RejectReason::TooLong { text: kind, limit: max_chars }),
        _ => {
            let warnings = lint.warnings(&rendered, kind).collect();
            Ok((Some(rendered), warnings))
        }
    }
}

/// The template object `appointment`. Times are ISO 8601 with the practice's offset; missing values are empty texts.
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

/// The patient with the time of the appointment: `Ben on Wednesday, November 25 at 8:30 AM`. No line breaks within a date
/// or a time.
fn appointment_phrase(patient: &Patient) -> String {
    let start = patient.appointment.as_ref().and_then(|appointment| appointment.start);
    let day = patient.appointment_day.map(|day| day.format(" on %A,\u{a0}%B\u{a0}%-d").to_string());
    let time = start.map(|start| start.format(" at %-I:%M\u{a0}%p").to_string());
    format!("{}{}{}", patient.spoken_name, day.unwrap_or_default(), time.unwrap_or_default())
}

/// The names of all patients except the one spoken to. A patient with several rows is named once.
fn other_names(call: &[HouseholdCandidate]) -> Vec<String> {
    let mut seen = vec![&call[0].patient.info];
    let mut names = Vec::new();
    for other in call.iter().skip(1).map(|candidate| &candidate.patient) {
        let is_new = seen.iter().all(|one| one.patient_id.is_none() || one.patient_id != other.info.patient_id);
        if is_new {
            seen.push(&other.info);
            names.push(other.spoken_name.clone());
        }
    }
    names
}
