//! The intake: from a patient list to entries ready to enrol. `check` and `run` share it.
//!
//! list → rows → patients → households → entries. A [`list::List`] gives rows of text; [`columns`] says which column is
//! which field; a first pass (`survey`) learns what only the whole list can say; the second ([`reading`]) makes each
//! row a patient or a [`Rejection`], patients who share a number one call (`household`), renders
//! the texts (`message`), and gives the [`Draft`]s. Every row read is accepted, rejected, a duplicate, or merged into
//! a household; the [`ListTally`](crate::entry::ListTally) adds up.
//!
//! Only [`list`] and [`rejects`] touch files, and nothing here knows what time it is but by [`Setting::now`].

pub mod columns;
mod contact;
mod date;
mod exclusions;
pub mod field;
mod footer;
mod household;
mod lint;
pub mod list;
mod message;
mod name;
mod patient;
mod place;
mod postcode;
pub mod problem;
pub mod reading;
pub mod rejection;
pub mod rejects;
mod remembered;
mod repeats;
mod schema;
mod standing;
mod survey;
pub mod tally;

use chrono::{DateTime, Utc};

use self::columns::{Columns, MappingReport};
use self::field::Field;
use self::list::{Expected, Header, List, Row, RowPer};
use self::patient::{Desk, PatientReader};
use self::survey::Survey;
use crate::campaign::{Campaign, Consent};
use crate::entry::Draft;
use crate::phone::cell::CellRules;

pub use self::exclusions::Excluded;
pub use self::field::variable_name;
pub use self::list::ListSource;
pub use self::problem::ListProblem;
pub use self::reading::Reading;
pub use self::rejection::{RejectReason, Rejection};
pub use self::schema::row_schema;
pub use self::tally::{Summary, Warning};

/// The circumstances in which a list is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The present instant, by the runner's clock.
    pub now: DateTime<Utc>,
    /// Whether numbers reserved for fiction may be dialled: in a rehearsal only.
    pub fiction_allowed: bool,
    /// Whether a list older than the campaign allows is refused. Pointless under an invented clock.
    pub check_age: bool,
}

/// What became of a row, or of the household it belongs to.
#[derive(Clone)]
pub enum Step {
    /// An entry, its household's other members in it.
    Accepted(Box<Draft>),
    /// A row that cannot be used, and the row itself for the rejects file.
    Rejected(Rejection, Row),
    /// A row that repeats an earlier one exactly.
    Duplicate {
        /// The row's line.
        line: u64,
        /// The line of the row that it repeats.
        first: u64,
    },
    /// A row that a later one of the same key replaces, because the campaign says so.
    Replaced {
        /// The row's line.
        line: u64,
        /// The line of the row that counts instead.
        by: u64,
    },
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accepted(draft) => write!(f, "Accepted(line {})", draft.line),
            Self::Rejected(rejection, _) => write!(f, "Rejected({rejection})"),
            Self::Duplicate { line, first } => write!(f, "Duplicate(line {line} of {first})"),
            Self::Replaced { line, by } => write!(f, "Replaced(line {line} by {by})"),
        }
    }
}

/// A list that a campaign can use: opened, its columns understood, surveyed.
#[derive(Debug)]
pub struct Intake<'c> {
    campaign: &'c Campaign,
    setting: Setting,
    list: List,
    columns: Columns,
    survey: Survey,
    consent: Consent,
    excluded: Option<Excluded>,
}

impl<'c> Intake<'c> {
    /// Opens a list and reads it once, to learn what only the whole of it can say. Nothing is enrolled, and whatever is
    /// wrong with the list as a whole comes out here, but for the share of bad rows ([`Reading::finish`]).
    pub fn open(source: &ListSource, campaign: &'c Campaign, setting: Setting) -> Result<Self, ListProblem> {
        let mapped = |name: &str| campaign.list.columns.iter().any(|(_, column)| column.trim() == name.trim());
        let list = List::open(
            source,
            &Expected {
                is_known: &|name| mapped(name) || Field::of_column(name).is_some(),
                row_per: row_per(campaign),
                now: setting.now,
            },
        )?;
        if setting.check_age {
            refuse_if_old(&list, campaign, setting.now)?;
        }
        let columns = Columns::of(list.header(), &campaign.list)?;
        let consent = consent_of(campaign.calling.consent, &columns)?;
        if campaign.lines.are_written() && !columns.has(Field::Location) {
            return Err(ListProblem::NoLocationColumn);
        }
        let households = campaign.calling.household.then_some(cell_rules(campaign, setting));
        let survey = Survey::of(&list, &columns, &campaign.list, households)?;
        Ok(Self { campaign, setting, list, columns, survey, consent, excluded: None })
    }

    /// The same list without the patients of another: they are entries that may not be called.
    #[must_use]
    pub fn without(self, excluded: Option<Excluded>) -> Self {
        Self { excluded, ..self }
    }

    /// Which column was taken for which field.
    #[must_use]
    pub fn mapping(&self) -> MappingReport {
        self.columns.report()
    }

    /// The list's columns, for the rejects file.
    #[must_use]
    pub fn header(&self) -> &Header {
        self.list.header()
    }

    /// Rows that are not blank.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.survey.rows
    }

    /// The lines of rows that are no patients: totals, page footers, the header again.
    #[must_use]
    pub fn left_out(&self) -> &[u64] {
        &self.survey.left_out
    }

    /// Where consent is recorded: what the campaign says, or the consent column of a list that has one.
    #[must_use]
    pub fn consent(&self) -> Consent {
        self.consent
    }

    /// Whether this is a rejects file being fed back: some rows of a list, so that nobody who is not on it has left.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.list.is_rejects_file()
    }

    /// Reads the list from its start. It may be read again after the last reading has ended, not at the same time.
    ///
    /// A list that turns out to be mostly bad is refused at the end ([`Reading::finish`]); whoever enrols must then
    /// undo it, or read the list once for nothing first ([`Intake::examine`]).
    pub fn read(&self) -> Result<Reading<'_>, ListProblem> {
        let reader = PatientReader {
            columns: &self.columns,
            survey: &self.survey,
            campaign: self.campaign,
            consent: self.consent,
            excluded: self.excluded.as_ref(),
            at: Desk::of(&self.campaign.practice, None, self.setting.now),
            now: self.setting.now,
        };
        Ok(Reading::new(self.list.rows()?, reader, cell_rules(self.campaign, self.setting)))
    }

    /// Reads the whole list and keeps nothing but the numbers.
    pub fn examine(&self) -> Result<Summary, ListProblem> {
        self.read()?.finish()
    }
}

/// A campaign whose entries are appointments is about appointments.
fn row_per(campaign: &Campaign) -> RowPer {
    let of_appointments = campaign.list.key.iter().any(|part| part == Field::AppointmentId.name());
    if of_appointments { RowPer::Appointment } else { RowPer::Patient }
}

fn cell_rules(campaign: &Campaign, setting: Setting) -> CellRules<'_> {
    CellRules { fiction_allowed: setting.fiction_allowed, own: &campaign.practice.own_numbers }
}

fn refuse_if_old(list: &List, campaign: &Campaign, now: DateTime<Utc>) -> Result<(), ListProblem> {
    let most = campaign.list.max_list_age;
    match list.modified().map(|modified| now - modified) {
        Some(age) if age > most => Err(ListProblem::TooOld { age, most }),
        _ => Ok(()),
    }
}

/// A list with a consent column speaks for itself, unless the campaign attests for all of it.
fn consent_of(campaign: Option<Consent>, columns: &Columns) -> Result<Consent, ListProblem> {
    let has_column =
        [Field::Consent, Field::ConsentDate, Field::ConsentSource].into_iter().any(|field| columns.has(field));
    match (campaign, has_column) {
        (Some(Consent::OnFile), _) => Ok(Consent::OnFile),
        (Some(Consent::Column) | None, true) => Ok(Consent::Column),
        (Some(Consent::Column), false) => Err(ListProblem::NoConsentColumn),
        (None, false) => Err(ListProblem::NoConsent),
    }
}

#[cfg(test)]
mod tests;
