//! The intake: from a patient list to entries ready to enrol. `check` and `run` share it.
//!
//! list → rows → patients → households → entries. A [`list::List`] yields rows of text; [`columns`] maps columns to
//! fields, by their headings and, where these may mean several, by the first rows' cells; a first pass ([`profile`])
//! collects what depends on the whole list, such as date orders, repeated keys and numbers that some row forbids.
//! The second pass ([`pass`]) turns each row into a patient or a [`Rejection`], groups patients who share a number into
//! one call ([`household`]), renders the messages ([`message`]) and yields the [`NewEntry`](crate::entry::NewEntry)s.
//! Every row is accepted, rejected, a duplicate, or merged into a household; the
//! [`ListCounts`](crate::entry::ListCounts) add up.
//!
//! Only [`list`] and [`rejects`] access files. The only source of the time is [`IntakeContext::now`].

mod call_context;
mod called_party_zone;
mod campaign_columns;
mod cell_value;
mod cell_words;
pub mod column_sample;
pub mod columns;
mod date;
mod duplicate_filter;
mod eligibility;
pub mod error;
mod exclude_list;
pub mod field;
mod forbidding_columns;
mod forbidding_heading;
mod heading_by_cells;
mod household;
mod key;
mod key_bans;
mod lint;
pub mod list;
mod list_numbers;
pub mod mapping_report;
mod message;
mod name;
mod non_patient_rows;
mod normal_form;
mod not_understood;
mod notes;
mod number_columns;
pub mod pass;
mod patient;
mod phone_choice;
mod postcode;
mod profile;
pub mod rejection;
pub mod rejects;
mod render_cache;
mod repeated_keys;
mod row_numbers;
mod row_result;
mod row_shape;
mod schema;
mod section_rows;
mod short_rows;
pub mod summary;
mod unsupported_format;
mod word_lists;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use self::call_context::{CallContext, PatientHistory};
use self::column_sample::ColumnSample;
use self::columns::Columns;
use self::field::Field;
use self::key_bans::KeyBans;
use self::list::{Header, List, ListExpectations, RowPer, RowUnit};
use self::mapping_report::MappingReport;
use self::patient::{PatientReader, RowContext};
use self::profile::ListProfile;
use self::repeated_keys::read_bans;
use self::section_rows::is_forbidding_title;
use crate::campaign::{Campaign, Consent};
use crate::phone::parse_cell::DialRules;

pub use self::call_context::IsSettled;
pub use self::error::ListError;
pub use self::exclude_list::ExcludeList;
pub use self::field::{field_of_column, variable_name};
pub use self::key::id_text;
pub use self::list::ListSource;
pub use self::normal_form::folded;
pub use self::pass::IntakePass;
pub use self::rejection::Rejection;
pub use self::row_result::RowResult;
pub use self::schema::row_schema;
pub use self::summary::{ExcludedOnList, IntakeSummary, IntakeWarning};

/// The settings of an intake that do not come from the campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntakeContext {
    /// The present instant, by the runner's clock.
    pub now: DateTime<Utc>,
    /// When the practice's hours allow the first call: at once, or when they open.
    pub opens: DateTime<Utc>,
    /// Whether numbers reserved for fiction may be dialled; true in a rehearsal only.
    pub fiction_allowed: bool,
    /// Whether to refuse a list older than the campaign's `max_list_age`. Off under a simulated clock.
    pub check_age: bool,
}

/// A list that the campaign can use: opened, with its columns mapped and the first pass done.
#[derive(Debug)]
pub struct Intake<'c> {
    campaign: &'c Campaign,
    context: IntakeContext,
    list: List,
    columns: Columns,
    profile: ListProfile,
    key_bans: KeyBans,
    consent: Consent,
    exclude_list: Option<ExcludeList>,
    history: Option<PatientHistory<'c>>,
}

impl<'c> Intake<'c> {
    /// Opens a list and makes the first pass. Nothing is enrolled. Reports every error of the list as a whole, except
    /// too many rejected rows ([`IntakePass::finish`]).
    pub fn open(source: &ListSource, campaign: &'c Campaign, context: IntakeContext) -> Result<Self, ListError> {
        let mapped = |name: &str| campaign.list.columns.iter().any(|(_, column)| column.trim() == name.trim());
        let list = List::open(
            source,
            &ListExpectations {
                is_known: &|name| mapped(name) || Field::from_column(name).is_some(),
                encoding: campaign.list.encoding,
                row_per: row_per(campaign),
                now: context.now,
            },
        )?;
        if context.check_age {
            refuse_if_old(&list, campaign, context.now)?;
        }
        if list.titles().iter().any(|title| is_forbidding_title(title)) {
            return Err(ListError::ForbiddingTitle);
        }
        let sample = ColumnSample::of(&list)?;
        let columns = Columns::from_header(list.header(), &sample, &campaign.list, campaign.purpose)?;
        let consent = consent_of(campaign.calling.consent, &columns)?;
        if campaign.locations.are_defined() && !columns.has(Field::Location) {
            return Err(ListError::NoLocationColumn);
        }
        let profile = ListProfile::new(&list, &columns, campaign, dial_rules(campaign, context), context.now)?;
        let key_bans = KeyBans::default();
        let intake =
            Self { campaign, context, list, columns, profile, key_bans, consent, exclude_list: None, history: None };
        let key_bans = read_bans(&intake.list, &intake.reader())?;
        Ok(Self { key_bans, ..intake })
    }

    /// Adds an exclude list. Its patients become suppressed entries.
    #[must_use]
    pub fn with_exclude_list(self, exclude_list: Option<ExcludeList>) -> Self {
        Self { exclude_list, ..self }
    }

    /// Adds what earlier calls have brought: a patient who is settled shares no call.
    #[must_use]
    pub fn with_history(self, is_settled: Option<Box<IsSettled<'c>>>) -> Self {
        Self { history: is_settled.map(PatientHistory::new), ..self }
    }

    /// The mapping of columns to fields.
    #[must_use]
    pub fn mapping(&self) -> MappingReport {
        self.columns.report()
    }

    /// Sentences about names under `[list]` in the campaign that no column has.
    #[must_use]
    pub fn names_without_column(&self) -> &[String] {
        self.columns.names_without_column()
    }

    /// The list's column names, for the rejects file.
    #[must_use]
    pub fn header(&self) -> &Header {
        self.list.header()
    }

    /// The number of rows, without blank and non-patient rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.profile.rows
    }

    /// The lines of non-patient rows: totals, page footers, repeated headers.
    #[must_use]
    pub fn non_patient_lines(&self) -> &[u64] {
        &self.profile.non_patient_lines
    }

    /// The number of rows that a spreadsheet hides, by a filter or by hand. They are read like the others.
    #[must_use]
    pub fn hidden_rows(&self) -> u64 {
        self.profile.hidden_rows
    }

    /// What the numbers of the rows count.
    #[must_use]
    pub fn unit(&self) -> RowUnit {
        self.list.unit()
    }

    /// The FHIR resources of the list that are neither patients nor appointments, by type.
    #[must_use]
    pub fn other_resources(&self) -> &BTreeMap<String, u64> {
        self.list.other_resources()
    }

    /// Where consent is recorded: as the campaign says, or in the list's consent column.
    #[must_use]
    pub fn consent(&self) -> Consent {
        self.consent
    }

    /// Whether the list is a rejects file. It holds only part of a list, so no entry is withdrawn for being absent
    /// from it.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.list.is_rejects_file()
    }

    /// Starts a pass over the list. Only one pass may run at a time.
    ///
    /// Too many rejected rows are reported only at the end ([`IntakePass::finish`]). A caller that enrols entries must
    /// then undo that, or make a pass without enrolling first ([`Intake::examine`]).
    pub fn read(&self) -> Result<IntakePass<'_>, ListError> {
        let rules = dial_rules(self.campaign, self.context);
        let history = self.history.as_ref().map(PatientHistory::is_settled);
        let calls = CallContext { opens: self.context.opens, is_settled: history };
        Ok(IntakePass::new(self.list.rows()?, self.list.unit(), self.reader(), rules, calls))
    }

    fn reader(&self) -> PatientReader<'_> {
        PatientReader {
            columns: &self.columns,
            profile: &self.profile,
            key_bans: &self.key_bans,
            campaign: self.campaign,
            consent: self.consent,
            exclude_list: self.exclude_list.as_ref(),
            context: RowContext::new(&self.campaign.practice, None, self.context.now),
            now: self.context.now,
        }
    }

    /// Makes a whole pass and keeps only the counts.
    pub fn examine(&self) -> Result<IntakeSummary, ListError> {
        self.read()?.finish()
    }
}

/// The entries are appointments if the key contains the appointment's id.
fn row_per(campaign: &Campaign) -> RowPer {
    let by_appointment = campaign.list.key.iter().any(|part| part == Field::AppointmentId.name());
    if by_appointment { RowPer::Appointment } else { RowPer::Patient }
}

fn dial_rules(campaign: &Campaign, context: IntakeContext) -> DialRules<'_> {
    DialRules { fiction_allowed: context.fiction_allowed, own: &campaign.practice.own_numbers }
}

fn refuse_if_old(list: &List, campaign: &Campaign, now: DateTime<Utc>) -> Result<(), ListError> {
    let limit = campaign.list.max_list_age;
    match list.modified().map(|modified| now - modified) {
        Some(age) if age > limit => Err(ListError::TooOld { age, limit }),
        _ => Ok(()),
    }
}

/// The list's consent column counts, if it has one, unless the campaign attests consent for the whole list.
fn consent_of(campaign: Option<Consent>, columns: &Columns) -> Result<Consent, ListError> {
    let has_column =
        [Field::Consent, Field::ConsentDate, Field::ConsentSource].into_iter().any(|field| columns.has(field));
    match (campaign, has_column) {
        (Some(Consent::OnFile), _) => Ok(Consent::OnFile),
        (Some(Consent::Column) | None, true) => Ok(Consent::Column),
        (Some(Consent::Column), false) => Err(ListError::NoConsentColumn),
        (None, false) => Err(ListError::NoConsent),
    }
}

#[cfg(test)]
mod tests;
